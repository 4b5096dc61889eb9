//! One plugin in several places: links, other spellings and copies of its file.

use crate::harness::Ran;
use crate::hostile::{failing, folder, forget_identity, host, victim};

/// The host loaded the plugin once, and says that both paths led to it.
#[track_caller]
fn is_the_same(ran: &Ran) {
    ran.says("the same plugin").does_not_say("another plugin");
    ran.says_in_lines(1, "the constructor of victim ran").says_in_lines(1, "the init of victim ran");
}

// C7
#[test]
fn a_hard_link_is_the_same_plugin() {
    let folder = folder("hard link");
    let (path, link) = (folder.join("one.so"), folder.join("two.so"));
    let ran = host(&[
        &"write",
        &victim(),
        &path,
        &"hard-link",
        &path,
        &link,
        &"open",
        &path,
        &"open",
        &link,
        &"same",
    ]);
    is_the_same(&ran);
    // The first name may go, too.
    let third = folder.join("three.so");
    let ran =
        host(&[&"open", &path, &"remove", &path, &"hard-link", &link, &third, &"open", &third, &"same"]);
    is_the_same(&ran);
}

// A5, C7
#[test]
fn a_symbolic_link_is_the_same_plugin() {
    let folder = folder("symbolic link");
    let (path, link, chain) = (folder.join("one.so"), folder.join("two.so"), folder.join("three.so"));
    for (to, link) in [("one.so", &link), ("two.so", &chain)] {
        std::os::unix::fs::symlink(to, link).expect("a link can be made");
    }
    let ran = host(&[&"write", &victim(), &path, &"open", &chain, &"open", &path, &"same"]);
    is_the_same(&ran);
    is_the_same(&host(&[&"open", &path, &"open", &link, &"same"]));
}

// A5, C7
#[test]
fn other_spellings_of_a_path_are_the_same_plugin() {
    let folder = folder("spellings");
    std::fs::create_dir(folder.join("below")).unwrap();
    let path = folder.join("one.so");
    host(&[&"write", &victim(), &path]);
    for spelling in ["./one.so", "below/../one.so", "./below/.././one.so", ".//one.so"] {
        is_the_same(&host(&[&"open", &path, &"open", &folder.join(spelling), &"same"]));
    }
    // As seen from the working directory, which is the one above.
    for spelling in ["spellings/one.so", "./spellings/one.so", "spellings/../spellings/below/../one.so"] {
        is_the_same(&host(&[&"open", &spelling, &"open", &path, &"same"]));
    }
}

// C7
#[test]
fn a_copy_of_a_loaded_plugin_is_already_loaded_from_the_other_path() {
    let folder = folder("copy");
    let (path, copy) = (folder.join("one.so"), folder.join("two.so"));
    let ran = host(&[
        &"write",
        &victim(),
        &path,
        &"open",
        &path,
        &"write",
        &path,
        &copy,
        &"open",
        &copy,
        &"open-in-place",
        &copy,
        &"open",
        &path,
        &"same",
        &"call",
    ]);
    let text = format!("the plugin {} is loaded already, from {}:", copy.display(), path.display());
    ran.says_in_lines(2, "refused as AlreadyLoaded").says_in_lines(2, &text).says_in_lines(3, "left nothing");
    is_the_same(&ran);
    ran.says("f of victim ran");
}

// C7
#[test]
fn a_copy_is_already_loaded_when_the_original_is_gone() {
    let folder = folder("copy without original");
    let (path, copy) = (folder.join("one.so"), folder.join("two.so"));
    let ran = host(&[
        &"write",
        &victim(),
        &path,
        &"write",
        &path,
        &copy,
        &"open",
        &path,
        &"remove",
        &path,
        &"open",
        &copy,
        &"call",
    ]);
    let text = format!("the plugin {} is loaded already, from {}:", copy.display(), path.display());
    ran.says("refused as AlreadyLoaded").says(&text).says("f of victim ran");
    ran.says_in_lines(1, "the constructor of victim ran");
}

// C7
#[test]
fn a_copy_of_a_refused_original_is_refused_for_the_same_reason_by_its_own_path() {
    let folder = folder("copy of refused");
    let (path, copy) = (folder.join("one.so"), folder.join("two.so"));
    let mut bytes = std::fs::read(victim()).unwrap();
    forget_identity(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    let ran = host(&[
        &"open",
        &path,
        &"write",
        &path,
        &copy,
        &"open",
        &copy,
        &"remove",
        &path,
        &"open",
        &copy,
        &"write",
        &victim(),
        &copy,
        &"open",
        &copy,
        &"call",
    ]);
    ran.says_in_lines(3, "refused as Mismatch").does_not_say("AlreadyLoaded").says("f of victim ran");
    ran.says_in_lines(1, &format!("{}: ", path.display())).says_in_lines(2, &format!("{}: ", copy.display()));
}

// C7
#[test]
fn a_copy_of_an_original_that_did_not_start_did_not_start_either_and_is_named_itself() {
    let folder = folder("copy of failing");
    let (path, copy) = (folder.join("one.so"), folder.join("two.so"));
    let ran = host(&[&"write", &failing(), &path, &"open", &path, &"write", &path, &copy, &"open", &copy]);
    ran.says_in_lines(2, "refused as Init")
        .says_in_lines(2, "failed: it is broken")
        .does_not_say("AlreadyLoaded");
    for path in [path, copy] {
        ran.says(&format!("the plugin {} did not start", path.display()));
    }
}

// C7
#[test]
fn a_copy_over_a_loaded_plugin_leaves_it_as_it_is() {
    let folder = folder("copy over");
    let (path, other) = (folder.join("one.so"), folder.join("two.so"));
    let ran = host(&[
        &"write",
        &victim(),
        &path,
        &"write",
        &failing(),
        &other,
        &"open",
        &path,
        &"replace",
        &other,
        &path,
        &"open",
        &path,
        &"same",
        &"call",
    ]);
    is_the_same(&ran);
    ran.says("f of victim ran");
}
