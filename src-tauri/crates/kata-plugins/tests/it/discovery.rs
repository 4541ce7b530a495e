//! Discovery: precedence, shadowing, and every reason a folder is not taken, each with what to do.

use kata_plugins::{Choice, Discovery, Dropped, Root, discover_with, inspect};
use kata_protocol::{PluginId, PluginOrigin, WorkspaceId};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

struct World {
    _dir: tempfile::TempDir,
    base: PathBuf,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        for root in ["bundled", "global", "one", "two"] {
            std::fs::create_dir(base.join(root)).unwrap();
        }
        Self { _dir: dir, base }
    }

    fn roots(&self) -> Vec<Root> {
        let root = |name: &str, origin, workspace: Option<&str>| Root {
            origin,
            workspace: workspace.map(|w| WorkspaceId::new(w).unwrap()),
            path: self.base.join(name),
        };
        vec![
            root("bundled", PluginOrigin::Bundled, None),
            root("global", PluginOrigin::Global, None),
            root("one", PluginOrigin::Workspace, Some("one")),
            root("two", PluginOrigin::Workspace, Some("two")),
        ]
    }

    /// Writes a plugin `id` into `root/folder`.
    fn plugin(&self, root: &str, folder: &str, id: &str) -> PathBuf {
        let path = self.base.join(root).join(folder);
        std::fs::create_dir_all(&path).unwrap();
        let manifest = json!({ "id": id, "name": id, "version": "1", "api": "1" });
        std::fs::write(path.join("kata-plugin.json"), manifest.to_string()).unwrap();
        std::fs::write(path.join("index.ts"), "export default () => {};").unwrap();
        path
    }

    fn look(&self) -> Discovery {
        discover_with(&self.roots(), &BTreeMap::new())
    }

    fn choosing(&self, id: &str, choice: Choice) -> Discovery {
        discover_with(&self.roots(), &BTreeMap::from([(PluginId::new(id).unwrap(), choice)]))
    }
}

fn found(discovery: &Discovery) -> Vec<(String, PathBuf)> {
    let found = discovery.found.iter().map(|c| (c.manifest.id.to_string(), c.folder.clone()));
    found.collect()
}

/// The one folder that was dropped.
fn dropped(discovery: &Discovery) -> &Dropped {
    assert_eq!(discovery.dropped.len(), 1, "{:#?}", discovery.dropped);
    &discovery.dropped[0]
}

#[test]
fn a_workspace_shadows_neither_a_bundled_nor_a_global_plugin_unless_the_person_says_so() {
    for above in ["bundled", "global"] {
        let world = World::new();
        let first = world.plugin(above, "echo", "echo");
        let own = world.plugin("one", "mine", "echo");
        let looked = world.look();
        assert_eq!(found(&looked), [("echo".to_owned(), first.clone())]);
        let refused = dropped(&looked);
        assert_eq!((refused.path.as_path(), refused.id.as_deref()), (own.as_path(), Some("echo")));
        assert!(
            refused.reason.contains(&format!("taken by {}", first.display())),
            "{}",
            refused.reason
        );
        assert!(refused.hint.contains("plugins.echo.from to \"workspace:one\""), "{}", refused.hint);

        let chosen = world.choosing("echo", Choice::Workspace(WorkspaceId::new("one").unwrap()));
        assert_eq!(found(&chosen), [("echo".to_owned(), own)]);
        assert_eq!(chosen.found[0].workspace.as_ref().unwrap().as_str(), "one");
        assert!(dropped(&chosen).reason.contains("you chose"), "{}", dropped(&chosen).reason);
        // A choice of a place that has no such plugin changes nothing.
        let nowhere = world.choosing("echo", Choice::Workspace(WorkspaceId::new("two").unwrap()));
        assert_eq!(found(&nowhere), [("echo".to_owned(), first)]);
    }
}

#[test]
fn a_global_plugin_does_not_shadow_a_bundled_one_unless_the_person_says_so() {
    let world = World::new();
    let first = world.plugin("bundled", "echo", "echo");
    let own = world.plugin("global", "echo", "echo");
    assert_eq!(found(&world.look()), [("echo".to_owned(), first)]);
    assert_eq!(found(&world.choosing("echo", Choice::Global)), [("echo".to_owned(), own)]);
}

#[test]
fn of_two_workspaces_with_one_id_the_first_wins_and_the_other_is_told() {
    let world = World::new();
    let first = world.plugin("one", "z", "same");
    world.plugin("two", "a", "same");
    let looked = world.look();
    assert_eq!(found(&looked), [("same".to_owned(), first)]);
    assert!(dropped(&looked).hint.contains("workspace:two"));
}

#[test]
fn folders_are_taken_in_name_order_and_hidden_ones_and_node_modules_are_no_plugins() {
    let world = World::new();
    for (folder, id) in [("b", "b"), ("a", "a"), (".staging-1", "hidden"), ("node_modules", "modules")] {
        world.plugin("global", folder, id);
    }
    std::fs::create_dir(world.base.join("global/notes")).unwrap();
    let looked = world.look();
    assert_eq!(found(&looked).into_iter().map(|(id, _)| id).collect::<Vec<_>>(), ["a", "b"]);
    assert!(
        looked.dropped.is_empty(),
        "a folder without manifest and module is no plugin and not mentioned"
    );
}

/// Drops a folder for one reason, and checks that reason and hint say it.
fn refused(spoil: impl FnOnce(&Path), reason: &str, hint: &str) {
    let world = World::new();
    let folder = world.plugin("global", "p", "p");
    spoil(&folder);
    let looked = world.look();
    assert!(looked.found.is_empty(), "{:?}", found(&looked));
    let told = dropped(&looked);
    assert!(told.reason.contains(reason), "{}\nshould say\n{reason}", told.reason);
    assert!(told.hint.contains(hint), "{}\nshould say\n{hint}", told.hint);
    // An author who checks the folder by itself hears the same.
    assert_eq!(inspect(&folder).unwrap_err().reason, told.reason);
}

fn edit(folder: &Path, field: &str, value: serde_json::Value) {
    let path = folder.join("kata-plugin.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest[field] = value;
    std::fs::write(path, manifest.to_string()).unwrap();
}

#[test]
fn an_unknown_api_is_refused_with_what_to_write() {
    refused(
        |folder| edit(folder, "api", json!("2")),
        "kata-plugin.json: api: this host has plugin API 1, the plugin wants “2”",
        "write \"1\", or update the app",
    );
}

#[test]
fn a_bad_manifest_is_refused_at_its_field() {
    refused(
        |folder| edit(folder, "nmae", json!("x")),
        "nmae: there is no such field",
        "did you mean “name”",
    );
    refused(
        |folder| std::fs::write(folder.join("kata-plugin.json"), "{").unwrap(),
        "kata-plugin.json: line 1",
        "mend the JSON",
    );
}

#[test]
fn a_main_that_is_outside_or_missing_is_refused() {
    refused(
        |folder| edit(folder, "main", json!("../../x.ts")),
        "leads out of the plugin's folder",
        "in the folder",
    );
    refused(|folder| edit(folder, "main", json!("gone.ts")), "does not exist", "in the folder");
    refused(
        |folder| {
            std::fs::create_dir(folder.join(".kata")).unwrap();
            std::fs::write(folder.join(".kata/a.ts"), "").unwrap();
            edit(folder, "main", json!(".kata/a.ts"));
        },
        "no part of a plugin",
        "in the folder",
    );
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_or_folder_that_everybody_may_write_is_refused() {
        refused(
            |folder| mode(&folder.join("index.ts"), 0o666),
            "index.ts can be written by everybody",
            "chmod o-w",
        );
        refused(|folder| mode(folder, 0o777), "the folder can be written by everybody", "chmod o-w");
        refused(
            |folder| {
                std::fs::create_dir(folder.join("src")).unwrap();
                mode(&folder.join("src"), 0o777);
            },
            "src can be written by everybody",
            "chmod o-w",
        );
    }

    #[test]
    fn from_an_extensions_folder_that_everybody_may_write_nothing_is_taken() {
        let world = World::new();
        world.plugin("global", "p", "p");
        mode(&world.base.join("global"), 0o777);
        let looked = world.look();
        assert!(looked.found.is_empty());
        let told = dropped(&looked);
        assert!(
            told.reason.contains("nothing in it is taken") && told.hint.contains("chmod o-w"),
            "{told:?}"
        );
    }

    #[test]
    fn a_file_of_another_user_is_refused() {
        if !rustix::process::geteuid().is_root() {
            return; // only root may give a file away
        }
        refused(
            |folder| std::os::unix::fs::chown(folder.join("index.ts"), Some(12_345), None).unwrap(),
            "index.ts belongs to another user",
            "chown",
        );
    }

    #[test]
    fn a_link_out_of_the_folder_and_a_dead_one_are_refused() {
        refused(
            |folder| symlink("/etc/hostname", folder.join("data.json")).unwrap(),
            "data.json is a link that leads out",
            "in place of the link",
        );
        refused(
            |folder| symlink("nowhere", folder.join("x")).unwrap(),
            "x: the link leads nowhere",
            "in place of the link",
        );
    }

    #[test]
    fn a_folder_linked_from_outside_is_refused_and_one_under_two_names_is_taken_once() {
        let world = World::new();
        let outside = World::new().plugin("global", "far", "far");
        std::fs::create_dir_all(&outside).unwrap();
        std::fs::write(outside.join("index.ts"), "").unwrap();
        symlink(&outside, world.base.join("global/far")).unwrap();
        let looked = world.look();
        assert!(dropped(&looked).reason.contains("link to a place outside"), "{:?}", looked.dropped);

        let world = World::new();
        let real = world.plugin("global", "real", "real");
        symlink(&real, world.base.join("global/again")).unwrap();
        let looked = world.look();
        assert_eq!(found(&looked), [("real".to_owned(), real)]);
        assert!(dropped(&looked).reason.contains("the same folder was found before"));
    }

    #[test]
    fn an_extensions_folder_that_is_a_link_itself_is_looked_through_at_its_real_place() {
        let world = World::new();
        let real = world.plugin("two", "p", "p");
        std::fs::remove_dir(world.base.join("global")).unwrap();
        symlink(world.base.join("two"), world.base.join("global")).unwrap();
        let looked = world.look();
        assert_eq!(found(&looked), [("p".to_owned(), real)]);
        assert_eq!(looked.found[0].origin, PluginOrigin::Global);
    }
}
