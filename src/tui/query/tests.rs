use proptest::prelude::*;

use super::*;

/// A moment; the tests count from it.
#[allow(clippy::disallowed_methods, reason = "a moment can be had nowhere else")]
fn start() -> Instant {
    Instant::now()
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn press(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

fn plain(c: char) -> Event {
    press(KeyCode::Char(c), if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE })
}

fn esc() -> Event {
    press(KeyCode::Esc, KeyModifiers::NONE)
}

/// How an answer ends, and how crossterm reads it.
#[derive(Clone, Copy, Debug)]
struct Shape {
    is_bel: bool,
    /// The ESC that it begins with came alone.
    is_torn: bool,
    /// The ESC that it ends with came alone.
    is_end_torn: bool,
}

/// An answer as crossterm makes keys of it.
fn answer(body: &str, shape: Shape) -> Vec<Event> {
    let alt = |c: char| press(KeyCode::Char(c), KeyModifiers::ALT);
    let mut events = if shape.is_torn { vec![esc(), plain(']')] } else { vec![alt(']')] };
    events.extend(body.chars().map(plain));
    match shape {
        Shape { is_bel: true, .. } => events.push(press(KeyCode::Char('g'), KeyModifiers::CONTROL)),
        Shape { is_end_torn: true, .. } => events.extend([esc(), plain('\\')]),
        _ => events.push(alt('\\')),
    }
    events
}

const WHOLE: Shape = Shape { is_bel: true, is_torn: false, is_end_torn: false };

fn asked() -> (Query, Instant) {
    let (mut query, now) = (Query::default(), start());
    query.ask(now);
    (query, now)
}

/// Lets events come one a millisecond; then waits until nothing is held.
fn run(query: &mut Query, mut now: Instant, events: impl IntoIterator<Item = Event>) -> Heard {
    let mut all = Heard::default();
    for event in events {
        now += ms(1);
        let heard = query.hear(event, now);
        all.events.extend(heard.events);
        all.background = all.background.or(heard.background);
    }
    all.events.extend(query.expire(now + REST));
    assert_eq!(query.due(), None);
    all
}

#[test]
fn an_answer_is_swallowed_and_read() {
    for (body, expected) in [
        ("11;rgb:ffff/ffff/ffff", Background::Light),
        ("11;rgb:0000/0000/0000", Background::Dark),
        ("11;rgb:f6/f4/ec", Background::Light),
        ("11;rgb:F/F/e", Background::Light),
        ("11;rgba:0000/2b2b/3636/ffff", Background::Dark),
    ] {
        for (is_bel, is_torn, is_end_torn) in [
            (true, false, false),
            (false, false, false),
            (false, false, true),
            (true, true, false),
            (false, true, true),
        ] {
            let (mut query, now) = asked();
            let heard = run(&mut query, now, answer(body, Shape { is_bel, is_torn, is_end_torn }));
            assert_eq!((heard.events, heard.background), (Vec::new(), Some(expected)), "{body}");
            assert!(!query.is_outstanding(now + ms(30)));
        }
    }
}

#[test]
fn what_is_no_answer_goes_through() {
    for body in ["10;rgb:ffff/ffff/ffff", "11;?", "4;1", "", "11;rgb:ffff/ffff", "11;rgb:fffff/0/0", "11;rgb://"] {
        let (mut query, now) = asked();
        let events = answer(body, WHOLE);
        let heard = run(&mut query, now, events.clone());
        assert_eq!(heard.background, None, "{body}");
        assert_eq!(heard.events, events, "{body}");
    }
}

#[test]
fn who_asked_nothing_hears_nothing() {
    let mut query = Query::default();
    let events = answer("11;rgb:ffff/ffff/ffff", WHOLE);
    let heard = run(&mut query, start(), events.clone());
    assert_eq!((heard.events, heard.background), (events, None));
}

#[test]
fn an_answer_that_is_late_is_no_key_either() {
    let (mut query, now) = asked();
    let late = now + OUTSTANDING * 5;
    assert!(!query.is_outstanding(late));
    // But a key is no longer held back for it.
    assert_eq!(query.hear(esc(), late).events, [esc()]);
    let heard = run(&mut query, late, answer("11;rgb:ffff/ffff/ffff", WHOLE));
    assert_eq!((heard.events, heard.background), (Vec::new(), Some(Background::Light)));
    // One answer was asked for, so another is not looked for.
    let heard = run(&mut query, late, answer("11;rgb:ffff/ffff/ffff", WHOLE));
    assert_eq!(heard.background, None);
}

#[test]
fn a_lone_key_is_held_for_no_longer_than_nobody_sees() {
    for key in [esc(), press(KeyCode::Char(']'), KeyModifiers::ALT)] {
        let (mut query, now) = asked();
        assert_eq!(query.hear(key.clone(), now).events, []);
        assert_eq!(query.due(), Some(now + HOLD));
        assert_eq!(query.expire(now + ms(29)), []);
        assert_eq!(query.expire(now + HOLD), [key]);
        assert_eq!(query.due(), None);
    }
    // Any other key is not held at all.
    let (mut query, now) = asked();
    assert_eq!(query.hear(plain('1'), now).events, [plain('1')]);
    assert_eq!(query.hear(plain(']'), now).events, [plain(']')]);
}

#[test]
fn half_an_answer_does_nothing() {
    let (mut query, now) = asked();
    let mut events = answer("11;rgb:ffff/ff", WHOLE);
    events.pop();
    let heard = run(&mut query, now, events);
    assert_eq!((heard.events, heard.background), (Vec::new(), None));
    // And what comes after it is a key again.
    assert_eq!(query.hear(plain('f'), now + ms(900)).events, [plain('f')]);
}

#[test]
fn sizes_pass_at_once() {
    let (mut query, now) = asked();
    query.hear(press(KeyCode::Char(']'), KeyModifiers::ALT), now);
    assert_eq!(query.hear(Event::Resize(80, 24), now).events, [Event::Resize(80, 24)]);
    assert_eq!(
        query.hear(Event::FocusLost, now).events,
        [press(KeyCode::Char(']'), KeyModifiers::ALT), Event::FocusLost]
    );
}

#[test]
fn only_a_terminal_that_may_know_is_asked() {
    for (term, expected) in [
        ("xterm-256color", true),
        ("tmux-256color", true),
        ("screen", true),
        ("", false),
        ("dumb", false),
        ("linux", false),
        ("vt100", false),
    ] {
        assert_eq!(can_be_asked(term), expected, "{term}");
    }
}

fn keys() -> impl Strategy<Value = Vec<Event>> {
    let letters = "]1;rgb:f/0aAjkq?\\\u{e9}";
    let character = prop::sample::select(letters.chars().collect::<Vec<_>>());
    let modifiers = prop::sample::select(vec![KeyModifiers::NONE, KeyModifiers::ALT, KeyModifiers::CONTROL]);
    let key = prop_oneof![
        4 => character.prop_map(plain),
        2 => (prop::sample::select(vec!['j', '1', 'g', ']', '\\']), modifiers).prop_map(|(c, m)| press(KeyCode::Char(c), m)),
        1 => Just(esc()),
        1 => Just(press(KeyCode::Enter, KeyModifiers::NONE)),
        1 => Just(Event::FocusGained),
    ];
    prop::collection::vec(key, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_key_around_an_answer_arrives_in_its_order(
        before in keys(),
        after in keys(),
        channels in prop::array::uniform3(any::<u16>()),
        is_bel in any::<bool>(),
        is_end_torn in any::<bool>(),
    ) {
        let (mut query, now) = asked();
        let body = format!("11;rgb:{:04x}/{:04x}/{:04x}", channels[0], channels[1], channels[2]);
        let shape = Shape { is_bel, is_torn: false, is_end_torn };
        let events = before.iter().cloned().chain(answer(&body, shape)).chain(after.iter().cloned());
        let heard = run(&mut query, now, events);
        let expected: Vec<Event> = before.into_iter().chain(after).collect();
        prop_assert_eq!(heard.events, expected);
        let high = |c: u16| u8::try_from((u32::from(c) * 255 + 0x7fff) / 0xffff).unwrap();
        prop_assert_eq!(heard.background, Some(Background::of((high(channels[0]), high(channels[1]), high(channels[2])))));
    }

    #[test]
    fn without_an_answer_every_key_arrives(events in keys(), gaps in prop::collection::vec(0_u64..60, 12)) {
        let (mut query, mut now) = asked();
        let mut arrived = Vec::new();
        for (event, gap) in events.iter().zip(gaps) {
            now += ms(gap);
            arrived.extend(query.expire(now));
            arrived.extend(query.hear(event.clone(), now).events);
        }
        arrived.extend(query.expire(now + HOLD));
        prop_assert_eq!(arrived, events);
    }
}
