use kgents_store::Layer;

use super::*;

fn check(layer: Layer, standing: Standing) -> LayerCheck {
    LayerCheck { standing, ..not_asked(layer) }
}

fn up(milliseconds: u64) -> Standing {
    Standing::Up { latency: Duration::from_millis(milliseconds), version: String::new(), instance: None }
}

fn silent() -> Standing {
    Standing::Down(SourceError::NoCortex { tried: Vec::new() })
}

fn refusing() -> Standing {
    Standing::Down(SourceError::Api { code: 500, message: String::new() })
}

fn speaker(pinned: Option<Layer>, [grpc, kube, ghost]: [Standing; 3]) -> Option<Layer> {
    speaks(pinned, &[check(Layer::Grpc, grpc), check(Layer::Kube, kube), check(Layer::Ghost, ghost)])
}

#[test]
fn the_best_that_answers_well_would_speak() {
    assert_eq!(speaker(None, [up(1), up(1), up(1)]), Some(Layer::Grpc));
    assert_eq!(speaker(None, [up(501), up(501), up(1)]), Some(Layer::Kube));
    assert_eq!(speaker(None, [silent(), silent(), up(1)]), Some(Layer::Ghost));
    assert_eq!(speaker(None, [silent(), silent(), silent()]), None);
}

#[test]
fn a_memory_does_not_stand_in_for_who_refuses() {
    assert_eq!(speaker(None, [silent(), refusing(), up(1)]), None);
    assert_eq!(speaker(None, [up(1), refusing(), up(1)]), Some(Layer::Grpc));
}

#[test]
fn the_one_that_is_pinned_speaks_or_nobody() {
    let asked = |ghost| [Standing::NotAsked, Standing::NotAsked, ghost];
    assert_eq!(speaker(Some(Layer::Ghost), asked(up(1))), Some(Layer::Ghost));
    assert_eq!(speaker(Some(Layer::Kube), asked(up(1))), None);
}

#[test]
fn a_clock_is_compared_with_the_middle_of_asking() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let (sent, received) = (at("2026-01-01T12:00:00Z"), at("2026-01-01T12:00:00.2Z"));
    let by = |theirs: &str| skew(Layer::Kube, sent, received, at(theirs)).by.as_millis();
    assert_eq!(by("2026-01-01T12:03:00.1Z"), -180_000);
    assert_eq!(by("2026-01-01T11:59:59.1Z"), 1_000);
    // It said 12:00:00 for all of that second.
    let by = skew_in_seconds(Layer::Kube, sent, received, at("2026-01-01T12:00:00Z")).by;
    assert_eq!(by.as_millis(), -400);
}

#[tokio::test]
async fn without_anything_each_layer_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        kubeconfig: Some(folder.path().join("none")),
        cortex: Some(crate::grpc::Address::Unix(folder.path().join("none.sock"))),
        ghost: Some(folder.path().join("ghost")),
        ..Options::default()
    };
    let found = Box::pin(checkup(&options, Duration::from_millis(700))).await;
    assert_eq!((found.speaks, found.rights.len(), found.crds.len()), (None, 0, 0));
    let said: Vec<String> = found
        .layers
        .iter()
        .map(|check| match &check.standing {
            Standing::Down(error) => error.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(said[0].contains("no Cortex listens") && said[1].contains("there is no kubeconfig"), "{said:?}");
    assert!(said[2].ends_with("ghost remembers nothing"), "{said:?}");
    assert_eq!(found.ghost.is_writable, Some(true), "it could be made");
}

#[tokio::test]
async fn a_ghost_that_is_a_file_is_told_as_such() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let options = Options { layer: Some(Layer::Ghost), ghost: Some(file.path().into()), ..Options::default() };
    let found = Box::pin(checkup(&options, Duration::from_millis(700))).await;
    assert!(found.ghost.error.unwrap().to_string().ends_with("is a file, not a folder"));
    assert_eq!((found.ghost.is_writable, found.speaks), (Some(false), None));
    assert!(matches!(found.layers[0].standing, Standing::NotAsked));
}
