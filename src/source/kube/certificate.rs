//! When a client certificate ends. API servers answer an expired one with a
//! plain 401; a person should hear why.

use ::kube::config::AuthInfo;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use k8s_openapi::ByteString;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// When the client certificate of these credentials ends; `None` if there is
/// none or it cannot be read.
pub(crate) fn end(auth: &AuthInfo) -> Option<Timestamp> {
    let pem = match (&auth.client_certificate_data, &auth.client_certificate) {
        (Some(data), _) => serde_json::from_value::<ByteString>(data.as_str().into()).ok()?.0,
        (None, Some(path)) => std::fs::read(path).ok()?,
        (None, None) => return None,
    };
    not_after(&CertificateDer::from_pem_slice(&pem).ok()?)
}

/// `notAfter` of an X.509 certificate (RFC 5280, section 4.1).
fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate, _) = item(der)?;
    let (_, mut rest, _) = item(certificate)?;
    // An explicit version comes first, or none in the first version.
    if rest.first() == Some(&0xa0) {
        rest = item(rest)?.2;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        rest = item(rest)?.2;
    }
    let (_, validity, _) = item(rest)?;
    let (_, _, rest) = item(validity)?;
    let (tag, time, _) = item(rest)?;
    time_of(tag, std::str::from_utf8(time).ok()?)
}

/// One item of DER: its tag, its content, and what follows it.
fn item(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, der) = der.split_first()?;
    let (&length, der) = der.split_first()?;
    let (length, der) = match length {
        0..=0x7f => (usize::from(length), der),
        0x81..=0x84 => {
            let (digits, der) = der.split_at_checked(usize::from(length & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), der)
        }
        _ => return None,
    };
    let (content, rest) = der.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `UTCTime` (two digits of a year, from 1950) or `GeneralizedTime`.
fn time_of(tag: u8, text: &str) -> Option<Timestamp> {
    let text = match (tag, text.get(..2)?.parse::<u8>().ok()?) {
        (0x17, 0..50) => format!("20{text}"),
        (0x17, _) => format!("19{text}"),
        (0x18, _) => text.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::testing::{EXPIRED, GOOD};

    fn of(pem: &str) -> Option<Timestamp> {
        let data = serde_json::to_value(ByteString(pem.as_bytes().to_vec())).unwrap();
        let data = data.as_str().map(str::to_owned);
        end(&AuthInfo { client_certificate_data: data, ..AuthInfo::default() })
    }

    #[test]
    fn the_end_is_read_from_both_forms_of_time() {
        assert_eq!(of(EXPIRED), Some("2020-01-02T00:00:00Z".parse().unwrap()));
        assert_eq!(of(GOOD), Some("2099-01-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        assert_eq!(end(&AuthInfo::default()), None);
        assert_eq!(of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), None);
        assert_eq!(of("nonsense"), None);
        let whole = CertificateDer::from_pem_slice(EXPIRED.as_bytes()).unwrap();
        for end in 0..80 {
            assert_eq!(not_after(&whole[..end]), None, "cut at {end}");
        }
    }
}
