use super::*;

/// All that is wrong with a file, with the text at which each is.
fn faults(text: &str) -> Vec<(String, String)> {
    let place = |fault: &Fault| text.get(fault.offset..).unwrap_or_default().chars().take(5).collect();
    read("mine", text).faults.iter().map(|fault| (place(fault), fault.sentence.clone())).collect()
}

fn one(text: &str) -> (String, String) {
    let mut found = faults(text);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn the_themes_that_come_with_us_are_right_and_whole() {
    for name in NAMES {
        let path = format!("{}/../../assets/themes/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let Reading { palette, faults } = read(name, &text);
        assert_eq!((palette.name(), faults), (name, Vec::new()));
        // None of them is taken from another.
        let table = DeTable::parse(&text).unwrap();
        assert!(!lacks_ansi(table.get_ref()) && !table.get_ref().contains_key("base"), "{name}");
    }
}

#[test]
fn a_base_gives_what_is_not_said() {
    let text = "base = 'light'\n[roles]\nmoss = '#123'\n[ansi]\nmoss = 'bright-blue'\n[weight]\nmoss = 'bold italic'\n";
    let Reading { palette, faults } = read("mine", text);
    let light = Palette::light();
    assert_eq!((faults, palette.name()), (Vec::new(), "mine"));
    assert_eq!((palette.rgb(Role::Moss), palette.rgb(Role::Bg)), ((17, 34, 51), light.rgb(Role::Bg)));
    assert_eq!((palette.ramp, palette.ansi_ramp), (light.ramp, light.ansi_ramp));
    assert_eq!(palette.ansi[Role::Moss as usize], Color::LightBlue);
    assert_eq!(palette.weight[Role::Moss as usize], Modifier::BOLD | Modifier::ITALIC);
}

#[test]
fn a_theme_of_its_own_may_leave_the_sixteen_colours_to_us() {
    for (bg, like) in [("#000000", Palette::dark()), ("#fff", Palette::light())] {
        let roles: Vec<String> = Role::ALL.map(|role| format!("{} = '#888'\n", role.key())).to_vec();
        let roles = roles.concat().replace("bg = '#888'", &format!("bg = '{bg}'"));
        let ramp = format!("[field]\nramp = [{}]", ["'#888'"; RAMP_LEN].join(","));
        let Reading { palette, faults } = read("mine", &format!("[roles]\n{roles}{ramp}"));
        assert_eq!(faults, Vec::new());
        assert_eq!((palette.ansi, palette.ansi_ramp), (like.ansi, like.ansi_ramp), "{bg}");
    }
}

/// How long a ramp is.
const RAMP_LEN: usize = super::super::palette::RAMP;

#[test]
fn each_fault_is_told_where_it_is() {
    for (text, place, sentence) in [
        ("base = 'dark'\nrols = 1", "rols ", "unknown key `rols`; did you mean `roles`?"),
        ("base = 'dark'\nfish = 1", "fish ", "unknown key `fish`; there is ansi, base, field, roles and weight"),
        ("base = 'dark'\n[roles]\nmos = '#fff'", "mos =", "unknown key `roles.mos`; did you mean `roles.moss`?"),
        (
            "base = 'dark'\n[weight]\nselected-focus = 'bold'",
            "selec",
            "unknown key `weight.selected-focus`; did you mean `weight.selected_focus`?",
        ),
        ("base = 'dark'\n[field]\nrmap = 1", "rmap ", "unknown key `field.rmap`; did you mean `field.ramp`?"),
        (
            "base = 'drak'",
            "'drak",
            "base: expected dark, light, high-contrast, colour-blind or mono, found \"drak\"; did you mean dark?",
        ),
        ("base = 1", "1", "base: expected dark, light, high-contrast, colour-blind or mono, found 1"),
        ("base = 'dark'\nroles = 5", "5", "roles: expected a table, found 5"),
        (
            "base = 'dark'\n[roles]\nmoss = 'green'",
            "'gree",
            "roles.moss: expected a colour such as \"#7fc77a\", found \"green\"",
        ),
        (
            "base = 'dark'\n[roles]\nmoss = '#12345'",
            "'#123",
            "roles.moss: expected a colour such as \"#7fc77a\", found \"#12345\"",
        ),
        (
            "base = 'dark'\n[roles]\nmoss = [1]",
            "[1]",
            "roles.moss: expected a colour such as \"#7fc77a\", found a list",
        ),
        (
            "base = 'dark'\n[roles]\nmoss = \"\\u001b[2J\"",
            "\"\\u00",
            "roles.moss: expected a colour such as \"#7fc77a\", found \"␛[2J\"",
        ),
        (
            "base = 'dark'\n[ansi]\nmoss = 'gren'",
            "'gren",
            "ansi.moss: expected a colour such as \"green\", \"bright-green\" or \"default\", found \"gren\"; did you mean green?",
        ),
        (
            "base = 'dark'\n[weight]\nmoss = 'bold heavy'",
            "'bold",
            "weight.moss: expected bold, dim, italic or underlined, or several of them, found \"bold heavy\"",
        ),
        (
            "base = 'dark'\n[field]\nramp = ['#000', '#fff']",
            "['#00",
            "field.ramp: expected 9 colours, from nothing to full strength, found 2",
        ),
        (
            "base = 'dark'\n[field]\nansi = ['green', 'blu', 'red', 'cyan']",
            "'blu'",
            "field.ansi: expected a colour such as \"green\", \"bright-green\" or \"default\", found \"blu\"; did you mean blue?",
        ),
        ("base = 'dark'\n[field]\nramp = 'x'", "'x'", "field.ramp: expected a list of 9 colours, found \"x\""),
        ("base = dark", "dark", "this is not TOML: string values must be quoted, expected literal string"),
    ] {
        assert_eq!(one(text), (place.to_owned(), sentence.to_owned()), "{text}");
    }
}

#[test]
fn without_a_base_nothing_may_be_missing() {
    let dark =
        std::fs::read_to_string(format!("{}/../../assets/themes/dark.toml", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let lacking = dark.replacen("coral = \"#ef7d66\"\n", "", 1).replacen("teal = \"#5cc8b0\"\n", "", 1);
    let told = one(&lacking);
    assert_eq!(told.0, "roles");
    assert_eq!(told.1, "roles: there is no coral or teal; write them, or base = \"dark\" to take them from there");
    let lacking = dark.lines().filter(|line| !line.starts_with("ramp")).collect::<Vec<_>>().join("\n");
    assert_eq!(one(&lacking).1, "field: there is no ramp; write its colours, or base = \"dark\" to take it from there");
    let told: Vec<String> = faults("").into_iter().map(|(_, sentence)| sentence).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("roles: there are no colours"), "{told:?}");
}

#[test]
fn all_faults_are_told_in_the_order_of_the_text() {
    let told = faults("base = 'dark'\n[weight]\nmoss = 'x'\n[roles]\nmos = '#fff'\n[zzz]\n");
    let places: Vec<&str> = told.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["'x'\n[", "mos =", "zzz]\n"]);
}
