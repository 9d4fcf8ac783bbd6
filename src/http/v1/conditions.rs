//! Conditions of a transaction, as they are written.

use super::object::{Object as Members, text};
use super::{decimal, values};
use crate::ledger::{AccountRef, Bound, Condition, Measure, Rule};

/// How many conditions a transaction has at most.
const CONDITIONS_MAX: usize = 100;

const BOUNDS: [(&str, Measure, Bound); 4] = [
    ("available_at_least", Measure::Available, Bound::AtLeast),
    ("available_at_most", Measure::Available, Bound::AtMost),
    ("balance_at_least", Measure::Balance, Bound::AtLeast),
    ("balance_at_most", Measure::Balance, Bound::AtMost),
];

/// The conditions of a body. What is said of one account in one object is as many conditions.
pub(super) fn read(body: &mut Members<'_>) -> Option<Vec<Condition>> {
    if !body.has("conditions") {
        return Some(Vec::new());
    }
    let conditions = body.objects("conditions", 0..=CONDITIONS_MAX, |member| {
        let account = member.required("account", text(values::account));
        let version = member.optional("version", values::version);
        let bounds = BOUNDS.map(|(name, of, side)| {
            let figure = member.optional(name, text(decimal::bound));
            figure.map(|figure| figure.map(|figure| Rule::Bound { of, side, figure }))
        });
        let account = AccountRef::Id(account?);
        let mut rules: Vec<Rule> = version?.map(Rule::Version).into_iter().collect();
        for bound in bounds {
            rules.extend(bound?);
        }
        if rules.is_empty() {
            member.flaw("account", "needs a version or a bound beside it");
            return None;
        }
        Some((account, rules))
    })?;
    let each = conditions.into_iter().enumerate();
    let each = each.flat_map(|(place, (account, rules))| {
        rules.into_iter().map(move |rule| Condition {
            account: account.clone(),
            rule,
            place,
        })
    });
    Some(each.collect())
}
