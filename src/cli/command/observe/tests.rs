use kgents_store::bus::Control;
use kgents_store::watch::{Watch, WatchState};

use super::*;
use crate::testing::{kube, live, scene, terrarium, up};

#[test]
fn a_snapshot_waits_for_each_kind_or_for_nobody() {
    let mut control: Vec<Control> = Kind::ALL.into_iter().map(live).collect();
    control.extend(up());
    control.push(scene());
    assert!(is_settled(&terrarium(control.clone(), Vec::new())));
    let listing = Watch { state: WatchState::Listing, ..Watch::default() };
    control.push(Control::Watch(Kind::Event, listing));
    assert!(!is_settled(&terrarium(control.clone(), Vec::new())));
    assert!(!is_settled(&Terrarium::default()));
    let down = Link::Down { since: crate::testing::noon(), error: "refused".into(), hint: String::new() };
    control.push(kube(down));
    assert!(is_settled(&terrarium(control, Vec::new())));
}
