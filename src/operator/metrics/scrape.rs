//! Asks an operator for its metrics.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::exposition::{self, Sample, Unreadable};

/// More than any operator tells.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Why there are no metrics.
#[derive(Debug, thiserror::Error)]
pub enum ScrapeError {
    /// Nobody listens, or the connection broke.
    #[error("{address}: {error}")]
    Io {
        /// Who was asked.
        address: String,
        /// What happened.
        error: std::io::Error,
    },
    /// No answer came in time.
    #[error("{address} did not answer within {limit:?}")]
    Late {
        /// Who was asked.
        address: String,
        /// How long was waited.
        limit: Duration,
    },
    /// What answers is no operator.
    #[error("{address} answers, but is no operator: {problem}")]
    Stranger {
        /// Who was asked.
        address: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// An answer that cannot be read.
    #[error("{address}: {error}")]
    Unreadable {
        /// Who was asked.
        address: String,
        /// Where.
        error: Unreadable,
    },
}

/// The metrics of the operator at `address` (HOST:PORT), asked in plain HTTP/1.0:
/// the answer is whole when the connection ends.
///
/// # Errors
/// When nobody answers within `limit`, or not with metrics.
pub async fn scrape(address: &str, limit: Duration) -> Result<Vec<Sample>, ScrapeError> {
    let whole = |error| ScrapeError::Io { address: address.to_owned(), error };
    let answer = match tokio::time::timeout(limit, fetch(address)).await {
        Ok(answer) => answer.map_err(whole)?,
        Err(_) => return Err(ScrapeError::Late { address: address.to_owned(), limit }),
    };
    let stranger = |problem: &str| ScrapeError::Stranger { address: address.to_owned(), problem: problem.to_owned() };
    let text = String::from_utf8(answer).map_err(|_| stranger("this is no text"))?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| stranger("this is no HTTP"))?;
    let status = head.lines().next().unwrap_or_default();
    if !status.starts_with("HTTP/1") {
        return Err(stranger("this is no HTTP"));
    }
    if status.split(' ').nth(1) != Some("200") {
        return Err(stranger(status));
    }
    exposition::parse(body).map_err(|error| ScrapeError::Unreadable { address: address.to_owned(), error })
}

async fn fetch(address: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\nUser-Agent: kgents\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LARGEST).read_to_end(&mut answer).await?;
    Ok(answer)
}
