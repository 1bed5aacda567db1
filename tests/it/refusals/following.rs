//! `-w` cannot go on for ever where it cannot even begin. Then it is refused
//! as the list is, so that scripts and people find the same thing.

use crate::support::case::{Case, cases};
use crate::support::credentials::anonymous;
use crate::support::place::Place;
use crate::support::process::Ran;
use crate::support::servers;
use crate::support::user::User;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![without_an_api_server_following_fails_as_listing_does, an_api_server_refuses_following_as_it_does_listing]
}

/// Holds that `-w` ends with the code and the next command of the list.
#[track_caller]
fn assert_alike(user: &User, flags: &[&str]) {
    let list = user.kgents(&[&["agents"], flags].concat());
    let follow = user.kgents(&[&["agents", "-w"], flags].concat());
    let hint = |ran: &Ran| ran.stderr.lines().find(|line| line.starts_with("hint: ")).map(str::to_owned);
    assert_eq!((follow.code, hint(&follow)), (list.code, hint(&list)), "{follow}\n{list}");
    assert!(follow.stderr.starts_with("error: ") && follow.stdout.is_empty(), "{follow}");
}

fn without_an_api_server_following_fails_as_listing_does() {
    let (html, busy) = (
        servers::answering("200 OK", "text/html", "<html>"),
        servers::answering("503 Service Unavailable", "text/plain", ""),
    );
    let nobody = anonymous(servers::NOBODY);
    let without_context = nobody.replace(r#""current-context":"here","#, "");
    assert_alike(&User::new(), &[]);
    for kubeconfig in [
        "clusters: 5",
        &without_context,
        &nobody,
        &anonymous(&servers::silent()),
        &anonymous(&html.url),
        &anonymous(&busy.url),
    ] {
        assert_alike(&User::with_text(kubeconfig), &[]);
    }
    assert_alike(&User::with_text(&nobody), &["--context", "heer"]);
}

fn an_api_server_refuses_following_as_it_does_listing(place: &Place) {
    assert_alike(&User::with(&place.cluster.cert("--expired ann")), &[]);
    let stranger = User::with(&place.cluster.cert("stranger"));
    for flags in [&[][..], &["-A"], &["-n", &place.namespace], &["-n", &place.namespace, "--json"]] {
        assert_alike(&stranger, flags);
    }
}
