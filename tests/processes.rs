//! Plugins in processes of their own: what an export needs for it, and what a file says about that.

use crate::harness::{Fixture, Kind};

#[test]
fn what_can_be_called_from_another_process_and_what_is_in_the_way_stands_in_the_file() {
    let fixture = Fixture::empty("processes");
    let feature = "dynplug = { workspace = true, features = [\"process\"] }";
    fixture.package("app-api", Kind::Api, &[feature], "pub use dynplug;\n").plugin(
        "hello",
        "#[dynplug::export]\npub fn greet(name: &str) -> String { name.to_owned() }\n\
         #[dynplug::export]\npub fn each(_times: u8, _action: &dyn Fn(u8)) -> std::rc::Rc<()> { todo!() }\n\
         #[dynplug::export]\npub static COUNT: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);\n",
    );
    fixture.build().go().ok();
    let file = fixture.plugin_file("hello");
    let ran = fixture.bare_tool().arg("inspect").arg(&file).go();
    ran.ok().says_in_order([
        "each   fn each(_times: u8, _action: &dyn Fn(u8)) -> std::rc::Rc<()>\n",
        "only in the host's process: serde can't carry argument 2, `&dyn Fn(u8)`\n",
        "only in the host's process: serde can't carry the result, `std::rc::Rc<()>`\n",
        "greet  fn greet(name: &str) -> String\n",
    ]);
    assert_eq!(ran.stdout.matches("only in the host's process").count(), 2, "{ran}");
    let ran = fixture.bare_tool().args(["inspect", "--message-format", "json"]).arg(&file).go();
    let served = r#""other_process":{"is_served":true,"obstacles":[]}"#;
    assert_eq!(ran.ok().stdout.matches(served).count(), 2, "{ran}");
    ran.says(r#"{"is_served":false,"obstacles":[{"number":1,"type":"&dyn Fn(u8)","what":"argument"}"#);
}
