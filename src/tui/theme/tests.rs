use super::colour::{CLEAR, LEGIBLE, contrast, shown256};
use super::*;

/// Roles in which text is written.
const TEXTS: [Role; 12] = [
    Role::Text,
    Role::Soft,
    Role::Mute,
    Role::Key,
    Role::Moss,
    Role::Leaf,
    Role::Amber,
    Role::Coral,
    Role::Sky,
    Role::Plum,
    Role::Rose,
    Role::Teal,
];
/// What text stands on.
const SURFACES: [Role; 4] = [Role::Bg, Role::Raised, Role::Selected, Role::SelectedFocus];

fn palettes() -> Vec<Palette> {
    NAMES.into_iter().map(|name| Palette::named(name).unwrap()).collect()
}

/// The worst contrast of a text with what it stands on, and which that is.
fn worst(palette: &Palette, seen: impl Fn(Rgb) -> Rgb) -> (f64, Role, Role) {
    let pairs = TEXTS.into_iter().flat_map(|text| SURFACES.map(|surface| (text, surface)));
    pairs
        .map(|(text, surface)| (contrast(seen(palette.rgb(text)), seen(palette.rgb(surface))), text, surface))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap()
}

#[test]
fn a_role_stands_at_its_own_place() {
    for (place, role) in Role::ALL.into_iter().enumerate() {
        assert_eq!(role as usize, place, "{role:?}");
    }
}

#[test]
fn text_is_legible_on_every_surface_it_stands_on() {
    for palette in palettes() {
        let wanted = if palette.name() == "high-contrast" { CLEAR } else { LEGIBLE };
        assert!((palette.legible() - wanted).abs() < f64::EPSILON, "{}", palette.name());
        let (ratio, text, surface) = worst(&palette, |rgb| rgb);
        assert!(ratio >= wanted, "{}: {text:?} on {surface:?}: {ratio:.2}", palette.name());
    }
}

#[test]
fn what_goes_and_what_comes_is_legible_on_its_tint() {
    for palette in palettes() {
        for role in [Role::Moss, Role::Coral] {
            let surface = mix(palette.rgb(Role::Raised), palette.rgb(role), TINT);
            let ratio = contrast(palette.rgb(role), surface);
            assert!(ratio >= LEGIBLE, "{}: {role:?}: {ratio:.2}", palette.name());
            assert_ne!(surface, palette.rgb(Role::Raised), "{}", palette.name());
        }
    }
}

#[test]
fn with_256_colours_text_stays_legible() {
    // The worst pairs: dark 4.35 (mute), light 4.10 (amber), high-contrast
    // 8.26 (plum), colour-blind 4.73 (coral), mono 4.93 (mute).
    for palette in palettes() {
        let (ratio, text, surface) = worst(&palette, |rgb| shown256(index256(rgb)));
        assert!(ratio >= 4.0, "{}: {text:?} on {surface:?}: {ratio:.2}", palette.name());
    }
}

#[test]
fn a_hue_is_a_hue_with_256_colours_too() {
    let strength = |(r, g, b): Rgb| r.max(g).max(b) - r.min(g).min(b);
    for palette in palettes() {
        for role in TEXTS {
            let (meant, shown) = (palette.rgb(role), shown256(index256(palette.rgb(role))));
            assert!(strength(meant) < 40 || strength(shown) >= 40, "{}: {role:?} is {shown:?}", palette.name());
        }
    }
}

#[test]
fn surfaces_are_told_apart_with_256_colours() {
    for palette in palettes() {
        let shown = |role: Role| index256(palette.rgb(role));
        for selected in [Role::Selected, Role::SelectedFocus] {
            assert_ne!(shown(Role::Bg), shown(selected), "{}: {selected:?}", palette.name());
            assert_ne!(shown(Role::Raised), shown(selected), "{}: {selected:?}", palette.name());
        }
    }
}

#[test]
fn labels_are_legible_all_over_the_field() {
    for palette in palettes() {
        for step in 0..=RAMP_STEPS {
            let (back, ink) = palette.label(step);
            let ratio = contrast(palette.rgb(ink), back);
            assert!(ratio >= palette.legible(), "{} at step {step}: {ratio:.2}", palette.name());
        }
    }
}

#[test]
fn the_field_leaves_the_surface_in_one_direction() {
    for palette in palettes() {
        let ramp = palette.field();
        assert_eq!(ramp[0], palette.rgb(Role::Bg), "{}: nothing looks like nothing", palette.name());
        let far = |rgb: &Rgb| contrast(*rgb, ramp[0]);
        let climbs = ramp.windows(2).all(|pair| far(&pair[1]) > far(&pair[0]));
        assert!(climbs, "{}: {:?}", palette.name(), ramp.each_ref().map(far));
        // The strongest is seen from afar.
        assert!(far(&ramp[8]) > 10.0, "{}", palette.name());
    }
}

/// What an eye without one kind of cones sees, in linear light: Machado,
/// Oliveira and Fernandes 2009, severity 1.0.
fn simulated(rgb: Rgb, rows: [[f64; 3]; 3]) -> [f64; 3] {
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    let light = [linear(rgb.0), linear(rgb.1), linear(rgb.2)];
    rows.map(|row| row.iter().zip(light).map(|(k, c)| k * c).sum::<f64>().clamp(0.0, 1.0))
}

const DEUTERANOPIA: [[f64; 3]; 3] =
    [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]];
const PROTANOPIA: [[f64; 3]; 3] =
    [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]];

/// CIE L*a*b* (D65) of linear light.
fn lab([red, green, blue]: [f64; 3]) -> [f64; 3] {
    let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    let x = f((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505);
    let y = f(0.2126 * red + 0.7152 * green + 0.0722 * blue);
    let z = f((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

#[test]
fn alive_waiting_and_wrong_are_told_apart_without_red_or_green() {
    let palette = Palette::named("colour-blind").unwrap();
    for (name, rows) in [("deuteranopia", DEUTERANOPIA), ("protanopia", PROTANOPIA)] {
        let seen = |role: Role| lab(simulated(palette.rgb(role), rows));
        let [alive, waits, wrong] = [Role::Moss, Role::Amber, Role::Coral].map(seen);
        // b* is the axis from blue (below nothing) to yellow and orange.
        assert!(alive[2] < -10.0 && wrong[2] > 25.0, "{name}: {alive:?} {wrong:?}");
        assert!(alive[0] - wrong[0] > 12.0, "{name}: {alive:?} {wrong:?}");
        assert!(waits[0] - wrong[0] > 18.0, "{name}: {waits:?} {wrong:?}");
    }
}

#[test]
fn mono_has_one_hue_and_says_the_rest_by_weight() {
    let palette = Palette::named("mono").unwrap();
    let is_grey = |(r, g, b): Rgb| r.max(g).max(b) - r.min(g).min(b) <= 8;
    assert!(Role::ALL.into_iter().all(|role| is_grey(palette.rgb(role))));
    assert!(palette.field().iter().all(|rgb| is_grey(*rgb)));
    for level in [ColourLevel::True, ColourLevel::Ansi256, ColourLevel::Ansi16, ColourLevel::None] {
        let theme = Theme::of(Arc::new(palette.clone()), level, false);
        assert!(theme.fg(Role::Coral).add_modifier.contains(Modifier::BOLD), "{level:?}");
        assert!(theme.fg(Role::Moss).add_modifier.is_empty(), "{level:?}");
    }
}

#[test]
fn only_its_own_colours_are_used_where_there_are_sixteen() {
    for palette in palettes() {
        let theme = Theme::of(Arc::new(palette.clone()), ColourLevel::Ansi16, false);
        for role in Role::ALL {
            assert!(!matches!(theme.color(role), Color::Rgb(..) | Color::Indexed(_)), "{} {role:?}", palette.name());
        }
        // Bright inks vanish on a light ground.
        if palette.name() == "light" {
            let bright = [Color::White, Color::LightYellow, Color::LightGreen, Color::LightCyan, Color::Yellow];
            assert!(TEXTS.into_iter().all(|role| !bright.contains(&theme.color(role))));
        }
    }
}

#[test]
fn the_environment_decides_the_level() {
    let level = |pairs: &[(&str, &str)]| {
        colour_level(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    };
    assert_eq!(level(&[("TERM", "xterm"), ("COLORTERM", "truecolor")]), ColourLevel::True);
    assert_eq!(level(&[("TERM", "xterm-256color")]), ColourLevel::Ansi256);
    assert_eq!(level(&[("TERM", "linux")]), ColourLevel::Ansi16);
    assert_eq!(level(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]), ColourLevel::None);
    assert_eq!(level(&[("TERM", "xterm"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")]), ColourLevel::None);
    assert_eq!(level(&[("TERM", "xterm"), ("COLORTERM", "truecolor"), ("NO_COLOR", "")]), ColourLevel::True);
}

#[test]
fn without_colours_every_role_is_the_terminals_own() {
    for palette in palettes() {
        let theme = Theme::of(Arc::new(palette), ColourLevel::None, false);
        for role in Role::ALL {
            assert_eq!(theme.color(role), Color::Reset);
        }
        assert_eq!(theme.ramp(1.0, 1.0), Color::Reset);
        assert!(theme.selected(true).add_modifier.contains(Modifier::REVERSED));
        assert!(theme.bold(Role::Text).add_modifier.contains(Modifier::BOLD));
    }
}

#[test]
fn new_is_the_dark_theme() {
    let dark = Palette::dark();
    let theme = Theme::new(ColourLevel::True, false);
    let (r, g, b) = dark.rgb(Role::Moss);
    assert_eq!((dark.name(), theme.color(Role::Moss)), ("dark", Color::Rgb(r, g, b)));
    assert_eq!(Palette::light().name(), "light");
    assert!(Palette::named("solarised").is_none());
}

#[test]
fn a_swatch_is_one_line_and_nothing_where_there_are_no_colours() {
    for palette in palettes() {
        for level in [ColourLevel::True, ColourLevel::Ansi256, ColourLevel::Ansi16] {
            let line = swatch(&palette, level);
            assert!(line.ends_with("\u{1b}[0m") && !line.contains('\n'), "{line:?}");
        }
        assert_eq!(swatch(&palette, ColourLevel::None), "");
    }
}
