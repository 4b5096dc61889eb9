//! The word for people in a bundle.

use super::arguments::Layout;
use super::description::Description;
use std::fmt::Write;

/// What the bundle is, how it is run, what it needs: Markdown.
pub fn text(description: &Description) -> String {
    let Description { name, version, target, profile, rustc, tool, identity, layout, .. } = description;
    let mut text = format!("# {name} {version}\n\n");
    let hosts: Vec<&str> = (description.products.iter())
        .filter(|product| product.kind == "host")
        .filter_map(|product| product.file.rsplit('/').next())
        .collect();
    text += match hosts.is_empty() {
        true => ALONE,
        false => "A program, and plugins that it opens while it runs.\n\n",
    };
    if !hosts.is_empty() {
        text += &running(&hosts, *layout);
    }
    // Writing into a string does not fail.
    let _ = writeln!(text, "| | |\n|---|---|\n| target | `{target}` |");
    if let Some(glibc) = &description.glibc {
        let _ = writeln!(text, "| needs | glibc {} or newer |", glibc.version);
    }
    let libraries: Vec<String> = description.needs.iter().map(|need| format!("`{}`", need.library)).collect();
    if !libraries.is_empty() {
        let _ = writeln!(text, "| libraries of the system | {} |", libraries.join(", "));
    }
    let _ = writeln!(
        text,
        "| profile | `{profile}` |\n| compiler | {rustc} |\n| made by | {tool} |\n| identity | `{identity}` |\n"
    );
    if !hosts.is_empty() {
        text += "A plugin fits if it was built for this identity; others are refused before they run.\n\n";
    }
    text += "| file | what |\n|---|---|\n";
    for product in &description.products {
        let what = product.kind.replace("api-", "API ").replace('-', " ");
        let _ = writeln!(text, "| `{}` | {what} `{}` {} |", product.file, product.package, product.version);
    }
    text += "\n`THIRD-PARTY.md` lists what is inside and under which licences, `sbom.cdx.json` the same for programs. \
             `bundle.json` has the SHA-256 of each file.\n";
    text
}

/// What is said of plugins without a host.
const ALONE: &str = "Plugins, and in `lib` the API library that they were built with. Put the folder where a host looks for plugins. A host \
     that was built with this API library opens them in its own process and has no need of `lib`; one that was built with another can run \
     them in processes of their own, if it is made for that, with the library in `lib`.\n\n";

/// How the hosts are run.
fn running(hosts: &[&str], layout: Layout) -> String {
    let mut text = "```console\n".to_owned();
    for host in hosts {
        text += &match layout {
            Layout::Flat => format!("$ ./{host}\n"),
            Layout::Fhs => format!("$ bin/{host}\n"),
        };
    }
    text += "```\n\n";
    text += match layout {
        Layout::Flat => {
            "The folder can be moved anywhere. The program finds its library and its plugins beside itself, also when it is \
             started through a symbolic link; it needs no environment variable.\n\n"
        }
        Layout::Fhs => {
            "`bin`, `lib` and `share` can be put into /usr, /usr/local, /opt or any other folder together. What is in `bin` \
             are symbolic links: to copy one elsewhere, make a link to it.\n\n"
        }
    };
    text
}
