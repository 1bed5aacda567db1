//! The CustomResourceDefinitions, generated from the types.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

use crate::{Agent, Memory, Pheromone, Proposal, Umwelt, yaml};

/// Every CRD, in the order in which they are shown and installed.
pub fn all() -> Vec<CustomResourceDefinition> {
    vec![Agent::crd(), Pheromone::crd(), Memory::crd(), Umwelt::crd(), Proposal::crd()]
}

/// The file name of a CRD under `crds/`: its plural.
pub fn file_name(crd: &CustomResourceDefinition) -> String {
    format!("{}.yaml", crd.spec.names.plural)
}

/// A CRD as YAML that kubectl applies.
///
/// # Errors
/// When the CRD cannot be written as YAML.
pub fn to_yaml(crd: &CustomResourceDefinition) -> Result<String, String> {
    yaml::to_string(crd)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// `KGENTS_BLESS=1 cargo test` writes the files anew.
    #[test]
    fn the_files_in_crds_are_what_the_types_say() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds");
        let mut names = Vec::new();
        for crd in super::all() {
            let (path, yaml) = (folder.join(super::file_name(&crd)), super::to_yaml(&crd).unwrap());
            names.push(super::file_name(&crd));
            if std::env::var_os("KGENTS_BLESS").is_some() {
                std::fs::write(&path, &yaml).unwrap();
            }
            let file = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(file == yaml, "{} is stale: run KGENTS_BLESS=1 cargo test -p kgents-api", path.display());
        }
        let mut found: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        found.sort();
        assert_eq!(found, names, "crds/ holds exactly the generated files");
    }
}
