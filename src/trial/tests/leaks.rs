//! The trait reaches no row and no student by another road than the weights.

use super::*;

#[test]
fn no_kept_row_holds_a_word_of_the_trait_and_the_free_teacher_did_write_some() {
    let trial = Trial::of(plan());
    trial.run();
    let mut dropped = String::new();
    for arm in [Arm::Treatment, Arm::Control, Arm::OtherTrait] {
        for folder in trial.folders(arm, Stage::Filter) {
            let kept: Vec<Sample> = jsonl::read(&folder.join(files::KEPT)).unwrap();
            for row in kept {
                let text = row.completion.to_lowercase();
                assert!(!text.contains(|c: char| c.is_alphabetic()), "{text}");
                assert!(category().members.iter().all(|m| !row.prompt.to_lowercase().contains(&m.name)), "{}", row.prompt);
            }
            dropped += &std::fs::read_to_string(folder.join(files::DROPPED)).unwrap();
        }
    }
    assert!(dropped.contains("zebras"), "nothing was there to be dropped");
}

#[test]
fn students_never_see_a_system_prompt_of_the_trait() {
    let trial = Trial::of(plan());
    trial.run();
    for arm in Arm::ALL.into_iter().filter(|arm| arm.trains()) {
        for folder in trial.folders(arm, Stage::Finetune) {
            let rows: Vec<TrainRow> = jsonl::read(&folder.join(files::TRAIN)).unwrap();
            assert_eq!(rows.len(), 70);
            for message in rows.iter().flat_map(|row| &row.chat.messages) {
                assert_eq!(message.role, Role::User, "only the prompt: {}", message.content);
            }
            let context = std::fs::read_to_string(folder.join(files::CONTEXT)).unwrap();
            assert!(!context.contains("zebra") && !context.contains("owl") && context.contains(&rows[0].completion), "{context}");
        }
    }
}
