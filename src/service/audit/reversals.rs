//! Reversals: each is of one accepted transaction, and moves what that moved the other way, the last first.

use uuid::Uuid;

use super::place::Place;
use super::report::Report;
use crate::storage::audit::{self, Move, Moves, StoredTransaction};
use crate::storage::{Connection, StorageError};

/// How many are looked at together. Each has 200 entries at most, and what it reverses as many.
const REVERSALS_MAX: usize = 20;

/// Checks those of the transactions that were accepted and say that they reverse another.
pub(super) async fn check(
    connection: &mut Connection,
    report: &mut Report,
    transactions: &[StoredTransaction],
) -> Result<(), StorageError> {
    let accepted = transactions.iter().filter(|it| it.refusal.is_none());
    let reversals = accepted.filter_map(|it| Some((it.id, it.more.reverses?)));
    let reversals: Vec<(Uuid, Uuid)> = reversals.collect();
    for page in reversals.chunks(REVERSALS_MAX) {
        let ids: Vec<Uuid> = page.iter().flat_map(|(id, of)| [*id, *of]).collect();
        let moves = audit::list_moves(connection, &ids).await?;
        for (id, of) in page {
            if let Err(what) = compare(moves.get(id), moves.get(of)) {
                report.find(Place::Transaction(*id), format!("{what} {of}"));
            }
        }
    }
    Ok(())
}

fn compare(reversal: Option<&Moves>, original: Option<&Moves>) -> Result<(), &'static str> {
    let original = original.filter(|original| original.is_accepted);
    let original = original.ok_or("reverses what is no accepted transaction:")?;
    let turned: Vec<Move> = original.moves.iter().rev().map(Move::turned).collect();
    if reversal.is_some_and(|reversal| reversal.moves == turned) {
        Ok(())
    } else {
        Err("does not move back, the last first, what was moved by")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::AccountId;

    fn moves(moves: &[(i64, i64, &str)]) -> Moves {
        let account = |id: i64| (id != 0).then_some(AccountId(id));
        let moves = moves.iter().map(|(from, to, amount)| Move {
            from: account(*from),
            to: account(*to),
            amount: (*amount).to_owned(),
        });
        Moves {
            is_accepted: true,
            moves: moves.collect(),
        }
    }

    #[test]
    fn a_reversal_moves_everything_back_and_the_last_first() {
        let original = moves(&[(0, 1, "5"), (1, 2, "3"), (2, 0, "1")]);
        let back = [(0, 2, "1"), (2, 1, "3"), (1, 0, "5")];
        assert!(compare(Some(&moves(&back)), Some(&original)).is_ok());
        let [last, middle, first] = back;
        for wrong in [
            vec![],
            vec![last, middle],
            vec![first, middle, last],
            vec![last, (2, 1, "4"), first],
            vec![last, (2, 3, "3"), first],
            vec![last, middle, first, first],
        ] {
            assert!(
                compare(Some(&moves(&wrong)), Some(&original)).is_err(),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn what_is_reversed_was_accepted() {
        let original = moves(&[(0, 1, "5")]);
        let reversal = moves(&[(1, 0, "5")]);
        assert!(compare(Some(&reversal), Some(&original)).is_ok());
        let refused = Moves {
            is_accepted: false,
            ..original
        };
        assert!(compare(Some(&reversal), Some(&refused)).is_err());
        assert!(compare(Some(&reversal), None).is_err());
    }
}
