//! What must be so for a command to apply: what its request is addressed to, and conditions on accounts.

use super::{End, Planner};
use crate::ledger::{
    AccountId, AccountRef, Bound, Command, Condition, Figure, Measure, Native, Object, Part,
    Rejection, Rule, Side, Target, Version,
};

impl Planner<'_, '_> {
    /// What a request is addressed to is there, and as it is expected to be.
    pub(super) fn check_target(&mut self, command: &Command) -> Result<(), Rejection> {
        let Some(Target { object, versions }) = &command.target else {
            return Ok(());
        };
        let current = match object {
            Object::Account(reference) => {
                let account = self.find(reference).map_err(|_| Native::NotFound)?;
                self.drafts.head(account).version
            }
            Object::Hold(hold) => {
                let hold = self.find_hold(*hold).map_err(|_| Native::NotFound)?;
                hold.version
            }
            // Whoever reverses one looks for it.
            Object::Transaction(_) => return Ok(()),
        };
        match versions {
            Some(versions) if !versions.contains(&current) => {
                Err(Native::PreconditionFailed { current }.into())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Conditions are about accounts that are there. One that is not is said before anything is opened for the command.
    pub(super) fn find_conditions(&mut self, command: &Command) -> Result<(), Rejection> {
        self.each_condition(command, |planner, condition| {
            planner.find(&condition.account).map(drop)
        })
    }

    /// Versions as they were before the first step.
    pub(super) fn check_versions(&mut self, command: &Command) -> Result<(), Rejection> {
        self.each_condition(command, |planner, condition| match condition.rule {
            Rule::Version(version) => planner.check_version(&condition.account, version),
            Rule::VersionOfFunded(_) | Rule::Bound { .. } => Ok(()),
        })
    }

    /// Versions that matter only once the account that gives was found to have enough.
    pub(super) fn check_versions_of_funded(&mut self, command: &Command) -> Result<(), Rejection> {
        let part = self.part;
        self.each_condition(command, |planner, condition| match condition.rule {
            Rule::VersionOfFunded(version) => planner.check_version(&condition.account, version),
            Rule::Version(_) | Rule::Bound { .. } => Ok(()),
        })?;
        self.part = part;
        Ok(())
    }

    /// Bounds, after the last step.
    pub(super) fn check_bounds(&mut self, command: &Command) -> Result<(), Rejection> {
        self.each_condition(command, |planner, condition| match &condition.rule {
            Rule::Bound { of, side, figure } => {
                planner.check_bound(&condition.account, *of, *side, figure)
            }
            Rule::Version(_) | Rule::VersionOfFunded(_) => Ok(()),
        })
    }

    /// What an accepted command depends on must not change before it is written, whether the command changes it or not.
    pub(super) fn depend_on_conditions(&mut self, command: &Command) {
        for condition in &command.conditions {
            if let Ok(account) = self.find(&condition.account) {
                self.conditioned.insert(account);
            }
        }
    }

    fn each_condition(
        &mut self,
        command: &Command,
        mut check: impl FnMut(&mut Self, &Condition) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        command.conditions.iter().try_for_each(|condition| {
            self.part = Some(Part::Condition(condition.place));
            check(self, condition)
        })
    }

    fn check_version(
        &mut self,
        reference: &AccountRef,
        expected: Version,
    ) -> Result<(), Rejection> {
        let account = self.find(reference)?;
        let current = self.drafts.head_before(account).version;
        if current == expected {
            Ok(())
        } else {
            Err(Rejection::VersionMismatch { account, current })
        }
    }

    fn check_bound(
        &mut self,
        reference: &AccountRef,
        of: Measure,
        side: Bound,
        figure: &Figure,
    ) -> Result<(), Rejection> {
        let account = self.find(reference)?;
        let head = self.drafts.head(account);
        let bound = figure.in_currency(head.currency)?;
        let value = match of {
            Measure::Balance => head.state.balance,
            Measure::Available => head.state.available(),
        };
        let holds = match side {
            Bound::AtLeast => bound <= value,
            Bound::AtMost => value <= bound,
        };
        if holds {
            Ok(())
        } else {
            Err(Native::ConditionFailed { account }.into())
        }
    }

    pub(super) fn find(&mut self, reference: &AccountRef) -> Result<AccountId, Rejection> {
        let side = Side::Target;
        match self.locate(reference, side)? {
            End::Account(account) => Ok(account),
            End::World | End::Free(_) => Err(Rejection::AccountNotFound { side }),
        }
    }
}
