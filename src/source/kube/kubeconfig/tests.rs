use super::*;

const GOOD: &str = r#"
apiVersion: v1
kind: Config
current-context: blue
clusters:
- {name: c, cluster: {server: "https://127.0.0.1:6443"}}
- {name: odd, cluster: {server: "127.0.0.1:6443"}}
contexts:
- {name: blue, context: {cluster: c, user: u}}
- {name: green, context: {cluster: c, user: u, namespace: garden}}
- {name: odd, context: {cluster: odd, user: u}}
- {name: lost, context: {cluster: gone, user: u}}
users:
- {name: u, user: {token: s3cret}}
"#;

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn options(path: &Path, context: Option<&str>) -> Options {
    Options { kubeconfig: Some(path.to_owned()), context: context.map(str::to_owned), ..Options::default() }
}

#[test]
fn files_are_found_as_kubectl_finds_them() {
    let (folder, path) = file(GOOD);
    let missing = folder.path().join("missing");
    std::fs::create_dir(folder.path().join(".kube")).unwrap();
    std::fs::copy(&path, folder.path().join(".kube/config")).unwrap();
    let home = Some(folder.path());
    let of_home = Place::Files(vec![folder.path().join(".kube/config")]);

    let files = |paths: &[&Path]| Ok(Place::Files(paths.iter().map(|path| path.to_path_buf()).collect()));
    assert_eq!(place(Some(&path), Some(OsStr::new("/x")), home, true), files(&[&path]));
    let none = Err(SourceError::NoKubeconfig { tried: vec![missing.clone()] });
    assert_eq!(place(Some(&missing), None, home, true), none, "a flag is a wish, not a hint");
    let list = std::env::join_paths([&missing, &path]).unwrap();
    assert_eq!(place(None, Some(&list), home, true), files(&[&path]), "missing ones of a list are left out");
    assert_eq!(place(None, Some(OsStr::new("")), home, true), Ok(of_home.clone()));
    assert_eq!(place(None, None, home, true), Ok(of_home));
    assert_eq!(place(None, Some(missing.as_os_str()), home, true), Ok(Place::Pod));
    assert_eq!(place(None, Some(missing.as_os_str()), home, false), none);
}

#[test]
fn the_scene_is_the_context_its_server_and_its_namespace() {
    let (_folder, path) = file(GOOD);
    let scene = |options: &Options| find(options, None).unwrap().scene;
    let blue = scene(&options(&path, None));
    assert_eq!((blue.context.as_str(), blue.server.as_str()), ("blue", "https://127.0.0.1:6443"));
    assert_eq!(blue.namespace, None);
    let mut green = options(&path, Some("green"));
    assert_eq!(scene(&green).namespace.as_deref(), Some("garden"));
    green.all_namespaces = true;
    assert_eq!(scene(&green).namespace, None);
    green.namespace = Some("n".into());
    assert_eq!(scene(&green).namespace.as_deref(), Some("n"), "a name says more than all");
}

#[test]
fn the_context_is_chosen_once() {
    let (_folder, path) = file(&GOOD.replace("current-context: blue", "current-context: green"));
    assert_eq!(find(&options(&path, None), Some("blue")).unwrap().scene.context, "blue");
    assert_eq!(find(&options(&path, Some("green")), Some("blue")).unwrap().scene.context, "green");
}

#[test]
fn what_is_wrong_is_said_and_no_secret_with_it() {
    let error = |text: &str, context: Option<&str>| {
        let (_folder, path) = file(text);
        let error = find(&options(&path, context), None).err().unwrap();
        assert!(!error.to_string().contains("s3cret"), "{error}");
        error
    };
    let broken = error(&GOOD.replace("name: u, user: {token: s3cret}", "name: u, user: {token: [s3cret"), None);
    assert!(matches!(&broken, SourceError::Kubeconfig { .. }), "{broken}");
    assert!(broken.to_string().contains("line "), "{broken}");
    let typed = error(&GOOD.replace("token: s3cret", "token: {a: s3cret}"), None).to_string();
    assert!(typed.contains("line "), "{typed}");
    let near = error(GOOD, Some("gren"));
    assert!(near.to_string().contains("no context gren; it has green, "), "{near}");
    assert_eq!(near.hint().as_deref(), Some("kgents observe --context green"));
    let none = error(&GOOD.replace("current-context: blue", ""), None);
    assert!(matches!(none, SourceError::NoContext { name: None, .. }), "{none}");
    assert!(error(GOOD, Some("lost")).to_string().contains("names the cluster gone, which is not in it"));
    assert!(error(GOOD, Some("odd")).to_string().contains("is no URL"));
    assert!(matches!(error("", None), SourceError::NoContext { .. }));
    assert!(matches!(error("- 1", None), SourceError::Kubeconfig { .. }));
    let (folder, _) = file(GOOD);
    let folder = find(&options(folder.path(), None), None).err().unwrap();
    assert!(matches!(folder, SourceError::Kubeconfig { .. }), "{folder}");
}

#[test]
fn the_identity_changes_with_the_credentials_and_only_with_them() {
    let (_folder, path) = file(GOOD);
    let identity = || target(&options(&path, None), None).unwrap().identity;
    let before = identity();
    assert_eq!(identity(), before);
    std::fs::write(&path, GOOD.replace("current-context: blue", "current-context: blue\npreferences: {colors: true}"))
        .unwrap();
    assert_eq!(identity(), before);
    std::fs::write(&path, GOOD.replace("s3cret", "n3w")).unwrap();
    assert_ne!(identity(), before);
}

#[test]
fn a_certificate_beside_the_kubeconfig_is_watched_too() {
    let (folder, path) = file(&GOOD.replace("token: s3cret", "client-certificate: c.pem, client-key: k.pem"));
    std::fs::write(folder.path().join("c.pem"), "one").unwrap();
    let target = || target(&options(&path, None), None).unwrap();
    let before = target();
    assert_eq!(before.files, [path.clone(), folder.path().join("c.pem"), folder.path().join("k.pem")]);
    std::fs::write(folder.path().join("c.pem"), "another").unwrap();
    assert_ne!(target().identity, before.identity);
}

#[test]
fn impersonation_is_added_to_what_the_file_says() {
    let (_folder, path) = file(GOOD);
    let mut options = options(&path, None);
    options.as_user = Some("jane".into());
    options.as_groups = vec!["dev".into()];
    let auth = target(&options, None).unwrap().config.auth_info;
    options.as_user = None;
    assert!(matches!(target(&options, None).err(), Some(SourceError::Invalid { .. })));
    assert_eq!(auth.impersonate.as_deref(), Some("jane"));
    assert_eq!(auth.impersonate_groups, Some(vec!["dev".into()]));
}
