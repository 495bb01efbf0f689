//! Problems about prices, wages and savings. Prices are drawn in cents; the steps are in dollars.

use super::super::number::Number;
use super::Story;
use super::kit::{Kit, Thing, dollars};
use super::work::Work;

/// An amount in cents as a number of dollars.
fn amount(cents: i64) -> Number {
    Number::from(cents) / Number::from(100)
}

/// A price in cents: whole dollars, halves or quarters.
fn price(kit: &mut Kit<'_>, most: i64) -> i64 {
    kit.between(1, most) * 100 + kit.one_of(&[0, 0, 50, 25])
}

/// Two things are bought, a note is given.
pub(super) fn change(kit: &mut Kit<'_>) -> Story {
    let (who, [x, y], place) = (kit.person(), kit.two_things(), kit.place());
    let (n, m) = (kit.between(2, 6), kit.between(2, 6));
    let (p, q) = (price(kit, 5), price(kit, 5));
    let total = n * p + m * q;
    let note = [1_000, 2_000, 5_000, 10_000].into_iter().find(|note| *note > total).unwrap_or(10_000);
    let mut work = Work::default();
    let first = work.times(n, amount(p));
    let second = work.times(m, amount(q));
    let all = work.plus(first, second);
    work.minus(amount(note), all);
    let facts = vec![
        kit.say(
            &[
                "{place_} {who} buys {n} {x} at {p} each and {m} {y} at {q} each.",
                "{who} buys {n} {x} for {p} each, and {m} {y} for {q} each.",
                "One {x1} costs {p} and one {y1} {q}. {who} takes {n} {x} and {m} {y}.",
            ],
            &[
                ("place_", &super::amounts::capitalised(place)),
                ("who", &who),
                ("n", &n),
                ("m", &m),
                ("x", &x.many),
                ("y", &y.many),
                ("x1", &x.one),
                ("y1", &y.one),
                ("p", &dollars(p)),
                ("q", &dollars(q)),
            ],
        ),
        kit.say(
            &["{who} pays with {note}.", "{who} gives the seller {note}.", "The bill is paid with {note}."],
            &[("who", &who), ("note", &dollars(note))],
        ),
    ];
    let question = kit.say(
        &[
            "How many dollars of change are there?",
            "How much money comes back, in dollars?",
            "How many dollars does {who} get back?",
        ],
        &[("who", &who)],
    );
    Story::told(facts, question, work)
}

/// A discount in percent.
pub(super) fn discount(kit: &mut Kit<'_>) -> Story {
    let (who, thing) =
        (kit.person(), kit.one_of(&["jacket", "lamp", "bicycle bell", "backpack", "chair", "radio", "kettle", "rain coat"]));
    let price = kit.between(4, 40) * 5;
    let percent = kit.one_of(&[5, 10, 15, 20, 25, 30, 40]);
    let n = kit.between(2, 6);
    let mut work = Work::default();
    let off = work.percent(percent, price);
    let lower = work.minus(price, off);
    let facts = vec![
        kit.say(
            &[
                "A {thing} usually costs ${price}.",
                "The full price of a {thing} is ${price}.",
                "A shop asks ${price} for a {thing}.",
            ],
            &[("thing", &thing), ("price", &price)],
        ),
        kit.say(
            &[
                "This week everything is {percent}% cheaper.",
                "In the sale the price is lowered by {percent}%.",
                "{who} has a voucher for {percent}% off.",
            ],
            &[("who", &who), ("percent", &percent)],
        ),
    ];
    if kit.between(0, 1) == 0 {
        let question = kit.say(
            &["How many dollars does {who} pay for one {thing}?", "What does a {thing} cost {who} now, in dollars?"],
            &[("who", &who), ("thing", &thing)],
        );
        return Story::known(facts, question, work);
    }
    work.times(lower, n);
    let question = kit.say(
        &["How many dollars do {n} of them cost {who}?", "If {who} takes {n}, how many dollars is that?"],
        &[("who", &who), ("n", &n)],
    );
    Story::told(facts, question, work)
}

/// How long it takes to save an amount.
pub(super) fn saving_up(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let thing = kit.one_of(&["guitar", "tent", "camera", "skateboard", "desk", "telescope", "sewing machine"]);
    let weeks = kit.between(4, 30);
    let (earned, spent) = (kit.between(12, 40), kit.between(3, 10));
    let have = kit.between(5, 80);
    let price = have + weeks * (earned - spent);
    let mut work = Work::default();
    let weekly = work.minus(earned, spent);
    let missing = work.minus(price, have);
    work.over(missing, weekly);
    let facts = vec![
        kit.say(
            &["{who} wants a {thing} that costs ${price}.", "A {thing} costs ${price}, and {who} would like to have it."],
            &[("who", &who), ("thing", &thing), ("price", &price)],
        ),
        kit.say(
            &["{who} has saved ${have} so far.", "There are already ${have} in the savings box of {who}."],
            &[("who", &who), ("have", &have)],
        ),
        kit.say(
            &[
                "Every week {who} earns ${earned} and spends ${spent} of it.",
                "{who} gets ${earned} a week, of which ${spent} are spent at once.",
            ],
            &[("who", &who), ("earned", &earned), ("spent", &spent)],
        ),
    ];
    let question = kit.say(
        &["After how many weeks is there enough money?", "How many weeks does it take until {who} can buy the {thing}?"],
        &[("who", &who), ("thing", &thing)],
    );
    Story::known(facts, question, work)
}

/// Coins of three values.
pub(super) fn coins(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let values = kit.one_of(&[[5, 10, 25], [10, 20, 50], [5, 20, 50], [5, 10, 50]]);
    let counts = [kit.between(3, 12), kit.between(3, 12), kit.between(2, 9)];
    let mut work = Work::default();
    let worth: [Number; 3] = std::array::from_fn(|i| work.times(counts[i], values[i]));
    let cents = work.sum(&worth);
    work.over(cents, 100);
    let [a, b, c] = counts;
    let [u, v, w] = values;
    let facts = vec![kit.say(
        &[
            "In a jar {who} finds {a} coins of {u} cents, {b} coins of {v} cents and {c} coins of {w} cents.",
            "{who} has {c} coins worth {w} cents each, {b} worth {v} cents each, and {a} worth {u} cents each.",
        ],
        &[("who", &who), ("a", &a), ("b", &b), ("c", &c), ("u", &u), ("v", &v), ("w", &w)],
    )];
    let question = kit
        .say(&["How many dollars is that?", "What is all of it worth, in dollars?", "How much money is that in dollars?"], &[]);
    Story::told(facts, question, work)
}

/// Hours and a rate, a bonus, costs.
pub(super) fn wages(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let hours = kit.between(4, 40);
    let rate = price(kit, 24);
    let bonus = kit.between(5, 60);
    let costs = kit.between(3, 40);
    let mut work = Work::default();
    let pay = work.times(hours, amount(rate));
    let more = work.plus(pay, bonus);
    work.minus(more, costs);
    let job = kit.one_of(&["in a bakery", "as a painter", "in a call centre", "as a driver", "in a print shop", "as a tutor"]);
    let facts = vec![
        kit.say(
            &[
                "{who} works {job} for {hours} hours at {rate} an hour.",
                "For {hours} hours of work {job}, {who} is paid {rate} per hour.",
            ],
            &[("who", &who), ("job", &job), ("hours", &hours), ("rate", &dollars(rate))],
        ),
        kit.say(
            &["There is a bonus of ${bonus}.", "{who} gets a bonus of ${bonus} as well."],
            &[("who", &who), ("bonus", &bonus)],
        ),
        kit.say(
            &["Travel costs {who} ${costs}.", "${costs} go for travel.", "{who} spends ${costs} on the way."],
            &[("who", &who), ("costs", &costs)],
        ),
    ];
    let question = kit.say(&["How many dollars are left for {who}?", "How many dollars does {who} take home?"], &[("who", &who)]);
    Story::known(facts, question, work)
}

/// A pack against single pieces.
pub(super) fn offers(kit: &mut Kit<'_>) -> Story {
    let (who, Thing { one, many }) = (kit.person(), kit.thing());
    let n = kit.between(4, 12);
    let single = price(kit, 4);
    let saved = kit.between(1, n) * 50;
    let pack = n * single - saved;
    let packs = kit.between(2, 5);
    let mut work = Work::default();
    let alone = work.times(n, amount(single));
    let once = work.minus(alone, amount(pack));
    work.times(once, packs);
    let facts = vec![
        kit.say(
            &["One {one} costs {single}.", "A single {one} is sold at {single}."],
            &[("one", &one), ("single", &dollars(single))],
        ),
        kit.say(
            &["A pack of {n} {many} costs {pack}.", "{n} {many} in one pack cost {pack}."],
            &[("n", &n), ("many", &many), ("pack", &dollars(pack))],
        ),
    ];
    let question = kit.say(
        &[
            "How many dollars does {who} save by buying {packs} packs instead of single {many}?",
            "{who} buys {packs} packs. How many dollars cheaper is that than the same number of single {many}?",
        ],
        &[("who", &who), ("packs", &packs), ("many", &many)],
    );
    Story::known(facts, question, work)
}

/// A bill with a tip, in equal parts.
pub(super) fn splitting(kit: &mut Kit<'_>) -> Story {
    let who = kit.person();
    let people = kit.between(3, 8);
    let percent = kit.one_of(&[5, 10, 15, 20, 25]);
    let bill = kit.between(2, 12) * people * 10;
    let mut work = Work::default();
    let tip = work.percent(percent, bill);
    let all = work.plus(bill, tip);
    work.over(all, people);
    let facts = vec![
        kit.say(
            &[
                "{who} and some friends, {people} people in all, eat for ${bill}.",
                "A dinner for {people} people costs ${bill}.",
                "{people} friends share a taxi and a meal for ${bill}.",
            ],
            &[("who", &who), ("people", &people), ("bill", &bill)],
        ),
        kit.say(&["They add a tip of {percent}%.", "A tip of {percent}% comes on top."], &[("percent", &percent)]),
        kit.say(&["Everyone pays the same.", "They split the sum equally."], &[]),
    ];
    let question = kit.say(&["How many dollars does each one pay?", "What is each one's part, in dollars?"], &[]);
    Story::told(facts, question, work)
}
