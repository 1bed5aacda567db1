//! Bad input: no panic, what is good stands, one clear line for what is not.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use kgents_store::Kind;
use serde_json::json;
use tempfile::{TempDir, tempdir};

use super::super::testing::{agent, at, files, garden, is_root, json_of, proposal, take, terrarium};
use super::super::{Ghost, GhostError, Memory, write_once};

fn tree() -> TempDir {
    let folder = tempdir().unwrap();
    write_once(folder.path(), &terrarium("garden", garden()), at(0)).unwrap();
    folder
}

fn read(folder: &Path) -> Memory {
    Ghost::of(folder, "garden").read_at(None, at(10)).0
}

fn said(memory: &Memory) -> Vec<String> {
    memory.problems.iter().map(ToString::to_string).collect()
}

fn count(memory: &Memory, kind: Kind) -> Option<usize> {
    memory.kinds.get(&kind).map(|kept| kept.objects.len())
}

/// One agent's file made bad: the others stand, and one line says why.
fn one_bad_agent(spoil: impl FnOnce(&Path), expected: &str) {
    let folder = tree();
    let path = folder.path().join("agents/b-gent.json");
    spoil(&path);
    let memory = read(folder.path());
    assert_eq!(said(&memory), [format!("agents/b-gent.json: {expected}")]);
    assert_eq!((count(&memory, Kind::Agent), count(&memory, Kind::Pod)), (Some(3), Some(1)));
}

#[test]
fn each_sort_of_bad_file_has_its_sentence() {
    let write = |text: &'static str| move |path: &Path| fs::write(path, text).unwrap();
    one_bad_agent(write(""), "empty");
    one_bad_agent(write("<html>"), "not JSON at line 1, column 1: expected value");
    one_bad_agent(write("{\"schema\": 1,\n \"area\": "), "torn: it ends at line 2, column 9");
    one_bad_agent(write("[1]"), "no file of a Ghost: it is no JSON object");
    one_bad_agent(write("{\"schema\": 99, \"area\": {}}"), "written by a newer kgents (schema 99)");
    one_bad_agent(write("{\"schema\": 0}"), "schema 0 is unknown");
    one_bad_agent(write("{\"apiVersion\": \"v1\"}"), "no file of a Ghost: it names no schema");
    one_bad_agent(write("{\"schema\": 1, \"area\": \"agents\"}"), "no file of a Ghost: it lacks as_of");
    let later = "{\"schema\":1,\"area\":\"agents\",\"context\":\"garden\",\"as_of\":\"soon\",\"data\":{}}";
    one_bad_agent(write(later), "as_of is \"soon\", which is no time");
    one_bad_agent(|path| fs::write(path, b"{\"schema\xff").unwrap(), "not text: byte 8 is no UTF-8");
    one_bad_agent(|path| fs::remove_file(path).unwrap(), "the index names it, but it is not there");
    one_bad_agent(
        |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        },
        "a folder, not a file",
    );
    one_bad_agent(
        |path| {
            fs::remove_file(path).unwrap();
            symlink("b-gent.json", path).unwrap();
        },
        "a symlink that leads in a circle",
    );
    one_bad_agent(
        |path| {
            fs::remove_file(path).unwrap();
            symlink("nowhere", path).unwrap();
        },
        "a symlink that leads nowhere",
    );
    one_bad_agent(
        |path| {
            fs::remove_file(path).unwrap();
            symlink("/dev/zero", path).unwrap();
        },
        "a device, not a file",
    );
    one_bad_agent(
        |path| {
            fs::remove_file(path).unwrap();
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        },
        "a fifo, not a file",
    );
    one_bad_agent(
        |path| File::create(path).unwrap().set_len(200 << 20).unwrap(),
        "too large: 200 MB, and at most 16 MB are read",
    );
    one_bad_agent(
        |path| fs::write(path, fs::read_to_string(path.with_file_name("d-gent.json")).unwrap()).unwrap(),
        "it is kgents-agents/d-gent, not kgents-agents/b-gent as the index says",
    );
    one_bad_agent(
        |path| fs::write(path, fs::read_to_string(path.with_file_name("../proposals/pending.json")).unwrap()).unwrap(),
        "it is about proposals, not about agents",
    );
    if is_root() {
        let expected = "it belongs to another user (uid 12345), so it is not trusted";
        one_bad_agent(|path| chown(path, Some(12_345), None).unwrap(), expected);
    } else {
        let barred = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
        one_bad_agent(barred, "permission denied");
    }
}

#[test]
fn a_symlink_to_a_good_file_is_as_good() {
    let folder = tree();
    let path = folder.path().join("agents/b-gent.json");
    let other = folder.path().join("elsewhere");
    fs::rename(&path, &other).unwrap();
    symlink(&other, &path).unwrap();
    let memory = read(folder.path());
    assert_eq!((said(&memory).len(), count(&memory, Kind::Agent)), (0, Some(4)));
}

#[test]
fn a_file_torn_anywhere_is_told_and_the_rest_stands() {
    let folder = tempdir().unwrap();
    let few =
        vec![agent("b-gent", 1), agent("d-gent", 1), proposal("open", 2, "Pending"), proposal("done", 3, "Merged")];
    write_once(folder.path(), &terrarium("garden", few), at(0)).unwrap();
    for (file, kind) in [
        ("agents/b-gent.json", Kind::Agent),
        ("proposals/merged.json", Kind::Proposal),
        ("agents/_index.json", Kind::Agent),
    ] {
        let path = folder.path().join(file);
        let whole = fs::read(&path).unwrap();
        for end in 0..whole.len() - 1 {
            fs::write(&path, &whole[..end]).unwrap();
            let memory = read(folder.path());
            let said = said(&memory);
            assert_eq!(said.len(), 1, "{file} {end}: {said:?}");
            let expected = if end == 0 { format!("{file}: empty") } else { format!("{file}: torn: it ends at line ") };
            assert!(said[0].starts_with(&expected), "{file} {end}: {said:?}");
            let expected = match file {
                "agents/_index.json" => 2,
                _ => 1,
            };
            assert_eq!(count(&memory, kind), Some(expected), "{file} {end}");
            assert_eq!(memory.kinds.len(), 7);
        }
        // The last line feed is no part of it.
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(said(&read(folder.path())), [""; 0]);
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn every_head_can_be_bad_and_what_it_heads_is_as_good_as_can_be() {
    let spoil = |file: &str| {
        let folder = tree();
        fs::write(folder.path().join(file), "nonsense").unwrap();
        let memory = read(folder.path());
        assert_eq!(said(&memory), [format!("{file}: not JSON at line 1, column 2: expected ident")]);
        (folder, memory)
    };
    let (_, memory) = spoil("agents/_index.json");
    assert_eq!((count(&memory, Kind::Agent), memory.kinds[&Kind::Agent].as_of), (Some(4), at(0)));
    let (_, memory) = spoil("pheromones/active.json");
    assert_eq!(count(&memory, Kind::Pheromone), Some(2), "those whose type is known");
    let (_, memory) = spoil("proposals/pending.json");
    assert_eq!(count(&memory, Kind::Proposal), Some(3));
    let (_, memory) = spoil("cluster/status.json");
    assert_eq!((count(&memory, Kind::Pod), count(&memory, Kind::Agent)), (None, Some(4)));
    let (folder, memory) = spoil("_meta/sync.json");
    assert_eq!((memory.kinds.len(), memory.scene.server.as_str()), (7, ""));
    assert_eq!(memory.thoughts_as_of, memory.thoughts.last().map(|thought| thought.at));
    // And each is made whole by the next sync.
    write_once(folder.path(), &terrarium("garden", garden()), at(20)).unwrap();
    assert_eq!(said(&Ghost::of(folder.path(), "garden").read_at(None, at(20)).0), [""; 0]);
}

#[test]
fn lines_that_cannot_be_read_are_counted_and_a_torn_end_is_nobodys_fault() {
    let folder = tree();
    let path = folder.path().join("thoughts/recent.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    let lines = whole.lines().count();
    let cut = whole.len() - 5;
    fs::write(&path, whole.get(..cut).unwrap()).unwrap();
    let memory = read(folder.path());
    assert_eq!((said(&memory).len(), memory.thoughts.len()), (0, lines - 1));
    fs::write(&path, format!("nonsense\n{{}}\n{whole}")).unwrap();
    let memory = read(folder.path());
    assert_eq!(said(&memory), ["thoughts/recent.jsonl: 2 lines cannot be read"]);
    assert_eq!(memory.thoughts.len(), lines);
}

#[test]
fn a_clock_from_the_future_is_told_and_makes_nothing_younger_than_now() {
    let folder = tempdir().unwrap();
    write_once(folder.path(), &terrarium("garden", garden()), at(10 + 3 * 3_600 + 60)).unwrap();
    let memory = read(folder.path());
    assert!(said(&memory).contains(&"agents/_index.json: its clock is ahead by 3h".to_owned()), "{:?}", said(&memory));
    assert!(memory.kinds.values().all(|kept| kept.as_of == at(10)), "{:?}", memory.kinds);
    assert_eq!(memory.thoughts_as_of, Some(at(10)));
    let status = Ghost::of(folder.path(), "garden").status(at(10));
    assert!(status.areas.iter().all(|area| area.age.is_none_or(|age| age.is_zero())));
}

#[test]
fn an_index_that_names_strange_files_opens_none_of_them() {
    let folder = tree();
    let index = folder.path().join("agents/_index.json");
    let mut json = json_of(&index);
    for (place, file) in ["../../etc/passwd", "/etc/passwd", "..", "x\u{1b}[2J.json"].iter().enumerate() {
        json["data"]["agents"][place]["file"] = json!(file);
    }
    fs::write(&index, json.to_string()).unwrap();
    let memory = read(folder.path());
    assert_eq!(said(&memory)[0], "agents/_index.json: the index names ../../etc/passwd, which is no file of an agent");
    assert_eq!((said(&memory).len(), count(&memory, Kind::Agent)), (4, Some(0)));
    assert!(said(&memory).iter().all(|line| !line.contains('\u{1b}')), "{:?}", said(&memory));
}

#[test]
fn many_problems_are_counted() {
    let folder = tempdir().unwrap();
    let many = (0..300).map(|i| agent(&format!("a{i}"), 1)).collect();
    write_once(folder.path(), &terrarium("garden", many), at(0)).unwrap();
    for i in 0..300 {
        fs::write(folder.path().join(format!("agents/a{i}.json")), "?").unwrap();
    }
    let memory = read(folder.path());
    assert_eq!(said(&memory).len(), 101);
    assert_eq!(said(&memory)[100], ".: 200 more problems are not told");
}

/// What a write says that the disk does not allow; the memory stays.
fn refused(folder: &Path, place: &Path) -> GhostError {
    let mut changed = terrarium("garden", garden());
    take(&mut changed, vec![agent("b-gent", 100), agent("new", 1)]);
    let error = write_once(folder, &changed, at(60)).unwrap_err();
    let left: Vec<_> = files(place).into_iter().filter(|file| file.contains(".tmp-kgents-")).collect();
    assert_eq!(left, [""; 0], "nothing half written stays");
    error
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_what_is_there_stays() {
    let folder = tree();
    let agents = folder.path().join("agents");
    if is_root() {
        // Root may write anywhere, so a file stands in the way.
        fs::rename(&agents, folder.path().join("away")).unwrap();
        fs::write(&agents, "").unwrap();
        let error = refused(folder.path(), folder.path());
        assert_eq!(error.to_string(), format!("{}: {}", agents.display(), "file exists"));
        let memory = read(folder.path());
        assert_eq!(said(&memory), ["agents/_index.json: a file stands where a folder should be"]);
        assert_eq!(count(&memory, Kind::Pod), Some(1));
    } else {
        fs::set_permissions(&agents, fs::Permissions::from_mode(0o500)).unwrap();
        let error = refused(folder.path(), folder.path());
        assert!(error.to_string().ends_with("permission denied"), "{error}");
        assert_eq!(said(&read(folder.path())), [""; 0]);
        fs::set_permissions(&agents, fs::Permissions::from_mode(0o700)).unwrap();
    }
}

#[test]
fn a_full_disk_is_told_and_what_is_there_stays() {
    if !is_root() {
        eprintln!("skipped: only root can mount a disk of its own");
        return;
    }
    let folder = tempdir().unwrap();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount =
        |args: &[&str]| Command::new("mount").args(args).arg(&disk).status().is_ok_and(|status| status.success());
    if !mount(&["-t", "tmpfs", "-o", "size=256k", "tmpfs"]) {
        eprintln!("skipped: no disk can be mounted here");
        return;
    }
    let outcome = std::panic::catch_unwind(|| {
        write_once(&disk, &terrarium("garden", garden()), at(0)).unwrap();
        let before = count(&read(&disk), Kind::Agent);
        let filler = fs::write(disk.join("filler"), vec![0; 1 << 20]);
        assert!(filler.is_err());
        let error = refused(&disk, &disk);
        assert!(error.to_string().ends_with(": the disk is full"), "{error}");
        let memory = read(&disk);
        assert_eq!((said(&memory), count(&memory, Kind::Agent)), (Vec::new(), before));
        assert!(mount(&["-o", "remount,ro"]));
        fs::metadata(disk.join("filler")).unwrap();
        let error = write_once(&disk, &terrarium("garden", garden()), at(60)).unwrap_err();
        assert!(error.to_string().ends_with(": the disk is read-only"), "{error}");
        assert!(mount(&["-o", "remount,rw"]));
        fs::remove_file(disk.join("filler")).unwrap();
        write_once(&disk, &terrarium("garden", garden()), at(61)).unwrap();
    });
    assert!(Command::new("umount").arg(&disk).status().unwrap().success());
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}
