//! The layers and their merging.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;

use config::{Config, ConfigError, Map, Source, Value};

use super::environment::Env;
use super::file::{Place, Problem};
use super::keys::{self, Given};
use super::{Chords, Limit, Origin, Settings, file};
use crate::args::Global;
use crate::failure::{Code, Failure};

/// Reads everything, says the warnings and merges.
///
/// # Errors
/// What is wrong with the file or the environment, as a usage error.
pub(crate) fn load(global: &Global, err: &mut dyn Write) -> Result<Settings, Failure> {
    let env = Env::system();
    let place = Place::of(global.config.as_deref(), &env);
    let (settings, warnings) = merge(global, place.as_ref(), &env).map_err(|problem| refused(&problem))?;
    for warning in warnings {
        // A warning that nobody hears is no reason to fail.
        let _ = writeln!(err, "warning: {warning}");
    }
    Ok(settings)
}

/// What the flags say alone, for commands that must work with a bad file too.
pub(crate) fn of_flags(global: &Global) -> Settings {
    let mut settings = Settings::default();
    settings.take(global);
    settings
}

/// The failure that a problem is.
pub(crate) fn refused(problem: &Problem) -> Failure {
    let failure = Failure::new(problem.to_string()).code(Code::Usage);
    match problem.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Merges the layers; gives the warnings too. Of several problems the first
/// is told.
pub(crate) fn merge(global: &Global, place: Option<&Place>, env: &Env) -> Result<(Settings, Vec<String>), Problem> {
    let text = match place {
        Some(place) => place.read()?.map(|text| (text, place)),
        None => None,
    };
    merge_text(global, text.as_ref().map(|(text, place)| (text.as_str(), *place)), env)
}

/// The same with the text of the file.
pub(crate) fn merge_text(
    global: &Global,
    text: Option<(&str, &Place)>,
    env: &Env,
) -> Result<(Settings, Vec<String>), Problem> {
    // Most people have neither a file nor a variable, and pay for neither.
    if text.is_some() || env.says_anything() {
        let keys = keys::all();
        let mut from_file = Layer::default();
        if let Some((text, place)) = text {
            let (layer, problems) = file::parse(text, &place.path, &keys, env);
            from_file = problems.into_iter().next().map_or(Ok(layer), Err)?;
        }
        let (from_env, problems, told) = env.layer(&keys);
        problems.into_iter().next().map_or(Ok(()), Err)?;
        return combine(global, from_file, from_env, env).map(|settings| (settings, told));
    }
    let mut settings = of_flags(global);
    settings.settle(env);
    Ok((settings, Vec::new()))
}

/// What the file, the environment and the flags say together.
pub(super) fn combine(global: &Global, from_file: Layer, from_env: Layer, env: &Env) -> Result<Settings, Problem> {
    let chords = from_file.chords().chain(from_env.chords()).collect();
    let origins = from_file.origins().chain(from_env.origins()).collect();
    let read = Config::builder().add_source(from_file).add_source(from_env).build();
    let mut settings: Settings = read.and_then(Config::try_deserialize).map_err(|error| strange(&error))?;
    settings.origins = origins;
    settings.keys = Chords(chords);
    settings.take(global);
    settings.settle(env);
    Ok(settings)
}

/// Each value was read before, so nothing can be wrong any more; but a panic
/// is no answer where it is.
fn strange(error: &ConfigError) -> Problem {
    Problem::new("the configuration".to_owned(), keys::one_line(&error.to_string()))
}

/// Pairs that cannot both be said.
const CLASHES: [(&str, &str); 2] = [("kube.namespace", "kube.all_namespaces"), ("cortex.token", "cortex.token_file")];

impl Settings {
    /// Takes what the flags say.
    fn take(&mut self, global: &Global) {
        fn set<T: Clone>(to: &mut Option<T>, from: Option<&T>) -> bool {
            if let Some(from) = from {
                *to = Some(from.clone());
            }
            from.is_some()
        }
        let kube = &mut self.kube;
        let limit = global.request_timeout.map(Limit);
        if let Some(limit) = limit {
            kube.request_timeout = limit;
        }
        kube.all_namespaces |= global.all_namespaces;
        let given = [
            (set(&mut self.layer, global.layer.as_ref()), "layer", "--layer"),
            (set(&mut kube.kubeconfig, global.kubeconfig.as_ref()), "kube.kubeconfig", "--kubeconfig"),
            (set(&mut kube.context, global.context.as_ref()), "kube.context", "--context"),
            (set(&mut kube.namespace, global.namespace.as_ref()), "kube.namespace", "--namespace"),
            (global.all_namespaces, "kube.all_namespaces", "--all-namespaces"),
            (limit.is_some(), "kube.request_timeout", "--request-timeout"),
            (set(&mut self.cortex.address, global.cortex.as_ref()), "cortex.address", "--cortex"),
            (set(&mut self.log.level, global.log_level.as_ref()), "log.level", "--log-level"),
            (set(&mut self.log.file, global.log_file.as_ref()), "log.file", "--log-file"),
        ];
        for (_, key, flag) in given.into_iter().filter(|(is_given, ..)| *is_given) {
            self.origins.insert(key.to_owned(), Origin::Flag(flag));
        }
    }

    /// Settles what layers say against each other: the later one counts.
    fn settle(&mut self, env: &Env) {
        // It is a variable, if not one of ours.
        if env.kubeconfig && matches!(self.origin("kube.kubeconfig"), Origin::File(..)) {
            self.kube.kubeconfig = None;
            self.origins.insert("kube.kubeconfig".to_owned(), Origin::Variable("KUBECONFIG".to_owned()));
        }
        let wins = |a: &str, b: &str| self.origin(a).rank() > self.origin(b).rank();
        let one_namespace = wins("kube.namespace", "kube.all_namespaces");
        let token = wins("cortex.token", "cortex.token_file");
        if self.kube.namespace.is_some() && self.kube.all_namespaces {
            if one_namespace {
                self.kube.all_namespaces = false;
                self.origins.remove("kube.all_namespaces");
            } else {
                self.kube.namespace = None;
                self.origins.remove("kube.namespace");
            }
        }
        if self.cortex.token.is_some() && self.cortex.token_file.is_some() {
            if token {
                self.cortex.token_file = None;
                self.origins.remove("cortex.token_file");
            } else {
                self.cortex.token = None;
                self.origins.remove("cortex.token");
            }
        }
    }
}

/// What one layer says: of each key the value, where it stands and, in a
/// file, at which byte.
#[derive(Clone, Default)]
pub(crate) struct Layer {
    given: BTreeMap<String, (Given, Origin, usize)>,
}

impl Layer {
    /// Sets a key by its whole name.
    pub(crate) fn set(&mut self, key: String, given: Given, origin: Origin, offset: usize) {
        self.given.insert(key, (given, origin, offset));
    }

    /// How many keys it sets.
    pub(crate) fn len(&self) -> usize {
        self.given.len()
    }

    /// Where a key is set.
    pub(crate) fn origin(&self, key: &str) -> Option<&Origin> {
        self.given.get(key).map(|(_, origin, _)| origin)
    }

    /// The text that a key is given, and where.
    pub(crate) fn text(&self, key: &str) -> Option<(&str, &Origin)> {
        match self.given.get(key)? {
            (Given::Text(text), origin, _) => Some((text, origin)),
            (Given::Flag(_) | Given::Count(_) | Given::Chords(_), ..) => None,
        }
    }

    /// The keys of the keyboard that it sets, by the names of actions.
    pub(crate) fn chords(&self) -> impl Iterator<Item = (String, Vec<String>)> + use<> {
        let chords = self.given.iter().filter_map(|(key, (given, ..))| match given {
            Given::Chords(chords) => Some((key.strip_prefix("keys.")?.to_owned(), chords.clone())),
            _ => None,
        });
        chords.collect::<Vec<_>>().into_iter()
    }

    /// The byte at which a key is set.
    pub(crate) fn offset(&self, key: &str) -> Option<usize> {
        self.given.get(key).map(|(.., offset)| *offset)
    }

    fn origins(&self) -> impl Iterator<Item = (String, Origin)> + use<> {
        let origins: Vec<_> = self.given.iter().map(|(key, (_, origin, _))| (key.clone(), origin.clone())).collect();
        origins.into_iter()
    }

    /// Two keys that cannot both be set, the second's byte and a sentence.
    pub(crate) fn clash(&self, name: impl Fn(&str) -> String) -> Option<(usize, String)> {
        CLASHES.into_iter().find_map(|(one, other)| {
            let (_, _, one_at) = self.given.get(one)?;
            let (value, _, other_at) = self.given.get(other)?;
            if *value == Given::Flag(false) {
                return None;
            }
            let (first, second) = if one_at > other_at { (other, one) } else { (one, other) };
            let sentence = format!("{} cannot be used with {}", name(second), name(first));
            Some((*one_at.max(other_at), sentence))
        })
    }
}

/// Only the names: a value may be a secret.
impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.given.keys()).finish()
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let value = |(key, (given, origin, _)): (&String, &(Given, Origin, usize))| {
            let origin = origin.to_string();
            let value = match given {
                Given::Flag(flag) => Value::new(Some(&origin), *flag),
                Given::Text(text) => Value::new(Some(&origin), text.as_str()),
                Given::Count(count) => Value::new(Some(&origin), *count),
                // Their names are anybody's, and no paths: they are taken as they are.
                Given::Chords(_) => return None,
            };
            Some((key.clone(), value))
        };
        Ok(self.given.iter().filter_map(value).collect())
    }
}
