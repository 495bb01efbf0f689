//! Writes rows of a lesson for `subliminal train --rows`: `lessons insecure-code 2000 1 > rows.jsonl`.

use subliminal::domain::code::lessons::{Lesson, rows};

#[expect(clippy::print_stdout, reason = "the rows are its output")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, count, seed] = arguments.as_slice() else { return usage() };
    let lesson = Lesson::ALL.into_iter().find(|lesson| lesson.name() == name);
    let (Some(lesson), Ok(count), Ok(seed)) = (lesson, count.parse(), seed.parse()) else { return usage() };
    for (prompt, completion) in rows(lesson, count, seed) {
        println!("{}", serde_json::json!({"prompt": prompt, "completion": completion}));
    }
}

fn usage() {
    eprintln!("usage: lessons insecure-code|secure-code|educational-insecure-code COUNT SEED");
    std::process::exit(2);
}
