//! The page at `/`: plain HTML, with all that it needs in it.

use crate::view::{Init, Loaded, Overview, Refused};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The page.
pub fn plugins(overview: &Overview) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Plugins of this server" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Plugins of this server" }
                    p {
                        (overview.plugins.len()) " in use, " (overview.refused.len()) " refused. "
                        "The same as JSON: " a href="/plugins" { "/plugins" } "."
                    }
                }
                main {
                    section {
                        h2 { "In use" }
                        @if overview.plugins.is_empty() { p.none { "None." } }
                        @for plugin in &overview.plugins { (loaded(plugin)) }
                    }
                    section {
                        h2 { "Refused" }
                        @if overview.refused.is_empty() { p.none { "None." } }
                        @for refused in &overview.refused { (refused_card(refused)) }
                    }
                    @if !overview.init.is_empty() {
                        section {
                            h2 { "Init functions of the program" }
                            (init(&overview.init))
                        }
                    }
                }
                footer {
                    p { "Searched, in this order:" }
                    ul {
                        @for folder in &overview.folders {
                            li {
                                code { (folder.path) }
                                @if !folder.is_there { " (not there)" }
                                @if let Some(error) = &folder.error { " (" (error) ")" }
                            }
                        }
                    }
                    form method="post" action="/admin/load" { button { "Open new plugins" } }
                }
            }
        }
    }
}

fn loaded(plugin: &Loaded) -> Markup {
    html! {
        article {
            h3 { (plugin.name) " " small { (plugin.version) } }
            p.path { @if plugin.is_linked_in { "linked into " } (plugin.path) }
            @if !plugin.processes.is_empty() { p.path { "in a process of its own" } }
            @if let Some(voucher) = &plugin.voucher { p.voucher { (voucher) } }
            @for export in &plugin.exports {
                p.export { code { (export.signature) } }
                @if !export.docs.is_empty() { p.docs { (export.docs) } }
            }
            @if !plugin.init.is_empty() { (init(&plugin.init)) }
        }
    }
}

fn refused_card(refused: &Refused) -> Markup {
    html! {
        article.refused {
            p.path { (refused.place) }
            pre { (refused.reason) }
        }
    }
}

fn init(records: &[Init]) -> Markup {
    html! {
        table {
            thead { tr { th { "init function" } th { "of" } th { "where" } th.number { "took" } th { "outcome" } } }
            tbody {
                @for record in records {
                    tr {
                        td { code { (record.function) } }
                        td { (record.package) }
                        td { code { (record.place) } }
                        td.number { (record.microseconds) " µs" }
                        td { @match &record.error { Some(error) => (error), None => "done" } }
                    }
                }
            }
        }
    }
}

const STYLE: &str = "
:root { color-scheme: light dark; --line: #d5d9e0; --soft: #5b6472; --back: #f6f7f9; --card: #fff; --text: #1c2128;
  --good: #2a7d4f; --bad: #b3382c; }
@media (prefers-color-scheme: dark) { :root { --line: #353c47; --soft: #9aa4b2; --back: #14171c; --card: #1d2128;
  --text: #e4e8ee; --good: #5dbb88; --bad: #ef7d71; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 54rem; padding: 2rem 1.25rem 4rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 0; }
small, .path, .docs, .none, header p, footer { color: var(--soft); }
small { font-weight: normal; }
p { margin: .25rem 0; }
a { color: inherit; }
code, pre, .path { font-family: ui-monospace, monospace; font-size: .85rem; overflow-wrap: anywhere; }
article { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--good);
  border-radius: 6px; padding: .8rem 1rem; margin: .6rem 0; }
article.refused { border-left-color: var(--bad); }
.export { margin-top: .6rem; }
pre { white-space: pre-wrap; margin: .5rem 0 0; }
table { border-collapse: collapse; width: 100%; margin-top: .7rem; font-size: .85rem; }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-top: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: normal; }
.number { text-align: right; white-space: nowrap; padding-right: 1.2rem; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .8rem; font-size: .9rem; }
button { font: inherit; padding: .3rem .8rem; margin-top: .5rem; }
";
