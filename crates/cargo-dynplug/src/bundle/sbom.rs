//! `sbom.cdx.json`: what is inside, in the form of CycloneDX 1.5, which programs that look for licences and known
//! weaknesses read. It says nothing of time and place, so that the same bundle has the same one.

use super::description::Description;
use super::licences::Component;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The name of the file.
pub const NAME: &str = "sbom.cdx.json";

/// The document.
pub fn document(description: &Description, components: &[Component]) -> String {
    let Description { name, version, tool, .. } = description;
    let mut taken = BTreeSet::from(["bundle".to_owned()]);
    let references: Vec<String> = (components.iter())
        .map(|component| {
            let of = reference(component);
            let names = (1..).map(|n| if n == 1 { of.clone() } else { format!("{of}#{n}") });
            names.into_iter().find(|name| taken.insert(name.clone())).unwrap_or_default()
        })
        .collect();
    let mut dependencies = vec![json!({ "ref": "bundle", "dependsOn": references })];
    for (component, of) in components.iter().zip(&references) {
        let below: Vec<&String> =
            component.dependencies.iter().filter_map(|at| references.get(*at)).collect();
        dependencies.push(json!({ "ref": of, "dependsOn": below }));
    }
    let (tool, tool_version) = tool.split_once(' ').unwrap_or((tool, ""));
    let value = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "tools": { "components": [{ "type": "application", "name": tool, "version": tool_version }] },
            "component": { "type": "application", "bom-ref": "bundle", "name": name, "version": version },
        },
        "components": components.iter().zip(&references).map(|(c, r)| described(c, r)).collect::<Vec<_>>(),
        "dependencies": dependencies,
    });
    format!("{value:#}\n")
}

/// What a package is called in such documents.
fn reference(component: &Component) -> String {
    let Component { name, version, source, .. } = component;
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let version = encoded(version);
    match source.as_str() {
        "the Rust toolchain" => format!("pkg:generic/rust-std@{version}"),
        git if git.starts_with("git+") => format!("pkg:cargo/{name}@{version}?vcs_url={}", encoded(git)),
        _ => format!("pkg:cargo/{name}@{version}"),
    }
}

fn described(component: &Component, reference: &str) -> Value {
    let mut value = Map::new();
    let mut put = |name: &str, of: Value| value.insert(name.to_owned(), of);
    put("type", "library".into());
    put("bom-ref", reference.into());
    put("name", component.name.clone().into());
    put("version", component.version.clone().into());
    put("purl", reference.split('#').next().unwrap_or(reference).into());
    match &component.licence {
        Some(expression) => {
            put("licenses", json!([{ "expression": expression }]));
        }
        None if !component.texts.is_empty() => {
            put("licenses", json!([{ "license": { "name": "as its text says" } }]));
        }
        None => {}
    }
    if let Some(repository) = &component.repository {
        put("externalReferences", json!([{ "type": "vcs", "url": repository }]));
    }
    let within = component.within.iter().map(|path| json!({ "name": "dynplug:within", "value": path }));
    put("properties", within.collect());
    Value::Object(value)
}
