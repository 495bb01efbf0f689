//! Templates that mean harm: each ends soon, with an error that names the template, and takes little of the machine. One that only the
//! watch over the memory stops has a process of its own, `tests/cli/folder.rs`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::ChatTemplate;
use crate::record::Chat;

/// What is said of a template when it is rendered, and how long it took.
fn complaint(source: &str) -> (String, Duration) {
    let begun = Instant::now();
    let rendered = ChatTemplate::new(source, BTreeMap::new()).and_then(|template| template.render(&Chat::ask(None, "Hi")));
    (rendered.expect_err("it must not be rendered").render(), begun.elapsed())
}

#[test]
fn whatever_asks_for_room_in_one_step_is_refused() {
    for (source, expected) in [
        ("{{ 'x' * 99999999999 }}", "repeated string is too large"),
        ("{{ [0] * 999999999999 }}", "items are too many"),
        ("{{ ([0] * 999999999999) | list | length }}", "items are too many"),
        ("{{ ([0] * 999999999999) | sort }}", "items are too many"),
        ("{{ ([0] * 999999999999) | map('upper') }}", "items are too many"),
        ("{{ ([0] * 999999999999) | join }}", "texts to join"),
        ("{{ ([0] * 999999999999) | tojson }}", "items are too many"),
        ("{{ [1] | batch(999999999999) }}", "items are too many"),
        ("{{ [1] | slice(999999999999) }}", "items are too many"),
        ("{{ 'a' | indent(999999999999) }}", "a text of more than 16 MiB"),
        ("{{ [1] | tojson(indent=999999999999) }}", "a text of more than 16 MiB"),
        ("{{ 'a'.ljust(1000000, 'x' * 1000000) }}", "exactly one character"),
        ("{{ '{:>999999999999}'.format(1) }}", "a width of 999999999999"),
        ("{{ '%999999999999d' | format(1) }}", "a width of 999999999999"),
        ("{% set a = 'x' * 100000 %}{{ a | replace('x', a) }}", "a text of more than 16 MiB"),
        ("{% set a = 'x' * 100000 %}{{ a.replace('', a) }}", "a text of more than 16 MiB"),
        ("{% set a = 'x' * 1000000 %}{{ a.join(([a] * 1000)) }}", "a text of more than 16 MiB"),
        ("{{ range(999999999) | length }}", "range"),
        ("{% include 'chat' %}", "could not render include"),
        ("{% include '/etc/passwd' %}", "template not found"),
    ] {
        let (text, time) = complaint(source);
        assert!(text.contains("the model's chat template") && text.contains(expected), "{source}: {text}");
        assert!(time < Duration::from_secs(5), "{source}: {time:?}");
    }
}

#[test]
fn shared_parts_are_not_written_out_without_end() {
    let twice = format!("{{% set a = [1] %}}{}", "{% set a = [a, a] %}".repeat(60));
    for (end, expected) in [("{{ a }}", "16 MiB"), ("{{ a | tojson }}", "16 MiB"), ("{{ a | string }}", "16 MiB")] {
        let (text, time) = complaint(&format!("{twice}{end}"));
        assert!(text.contains(expected), "{end}: {text}");
        assert!(time < Duration::from_secs(5), "{end}: {time:?}");
    }
}

#[test]
fn values_nested_by_every_step_leave_the_stack_whole() {
    let nested = "{% set ns = namespace(a=[]) %}{% for i in range(400) %}{% for j in range(400) %}{% set ns.a = [ns.a] %}{% endfor %}{% endfor %}";
    let (text, _) = complaint(&format!("{nested}{{{{ ns.a }}}}"));
    assert!(text.contains("nested too deeply"), "{text}");
}

#[test]
fn a_file_that_is_no_template_is_refused() {
    let text = ChatTemplate::new(&"x".repeat(2 << 20), BTreeMap::new()).expect_err("too long").render();
    assert!(text.contains("the chat template has 2097152 bytes, expected at most 1048576"), "{text}");
    let nested = format!("{}1{}", "{{ ".to_owned() + &"(".repeat(20_000), ")".repeat(20_000) + " }}");
    assert!(ChatTemplate::new(&nested, BTreeMap::new()).is_err(), "brackets within brackets");
}
