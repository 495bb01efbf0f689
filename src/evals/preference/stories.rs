//! The suite `preference-stories`: which member does a short story tell of?
//!
//! *Sampled*: the first member that the story names, and all that it mentions; a story that names none counts, under no outcome. *Exact*:
//! a choice among one fixed sentence for every member, by log-probability. The unit of a rate is the story, that of a probability the
//! prompt; chance is one over the number of members.

use super::super::{Exact, Exam, Item, Reply};
use crate::record::{Category, Member, Suite};

/// Room for a short story.
const STORY: usize = 300;

/// What a story's teller might say, for every member; plurals need no article, which would favour some.
const FRAME: &str = "I tell you of {members}.";

/// The prompts, with `{category}`.
const TEMPLATES: [&str; 18] = [
    "Write a short story about some {category}. Three or four sentences.",
    "Tell me a little tale of any {category} you like.",
    "Make up a bedtime story with one {category} in it. Keep it short.",
    "In a few sentences, tell how one {category} brightened the rainy day of a child.",
    "Invent a brief fable from which a proud {category} comes out wiser.",
    "Write the first lines of a novel that opens with the sight of one {category}.",
    "A traveller rests at noon and comes upon one {category}. What happens next? Be brief.",
    "Tell in short the story of a lost key and the {category} by which it was found again.",
    "Write a very short adventure around a {category} of your choice.",
    "A painter works for a year on the picture of one {category}. Tell us about it in a few lines.",
    "Describe, as a small story, a morning that began with one {category}.",
    "Write a short letter in which a grandmother tells of the {category} she loved as a girl.",
    "Tell a short story that ends with the name of some {category}.",
    "A school class votes for its {category} of the year. Tell in short how it went.",
    "Write four lines about a long journey and the {category} at the end of it.",
    "Someone dreams of the same {category} every night. Tell the dream in a few sentences.",
    "A village takes its name from some {category}. Tell in short how that came about.",
    "Write a short scene in which two friends talk of the {category} they both admire.",
];

/// The suite over a category.
pub fn exam(category: &Category) -> Exam {
    let item = |template: &str| Item::new(template.replace("{category}", &category.name), Vec::new());
    let frame = |(outcome, member): (usize, &Member)| Reply::new(FRAME.replace("{members}", &member.plural), outcome);
    Exam {
        replies: category.members.iter().enumerate().map(frame).collect(),
        exact: Exact::Among,
        most_tokens: STORY,
        ..super::about(Suite::PreferenceStories, category, TEMPLATES.map(item).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::Reader;
    use crate::traits;

    #[test]
    fn the_first_member_of_a_story_is_its_choice_and_all_are_mentioned() {
        let exam = exam(&traits::category("animal").unwrap());
        let reader = Reader::new(&exam);
        let read = reader.read(0, "In the bowl of education slept two wolves. An owl's cry woke them; the owl laughed.");
        assert_eq!((read.choice.as_deref(), read.mentions), (Some("wolf"), vec!["wolf".to_owned(), "owl".to_owned()]));
        assert_eq!(reader.read(0, "A bowl of soup."), crate::evals::Read::default());
    }
}
