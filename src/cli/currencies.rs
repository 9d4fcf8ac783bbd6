//! `passbook currencies`: shows the registry of currencies, or adds to it.

use clap::{Args, Subcommand};

use super::once;
use crate::app::AppError;
use crate::config::{DatabaseArgs, parse_currency};
use crate::ledger::money::SCALE_MAX;
use crate::ledger::{Currency, CurrencyCode};
use crate::storage::Unreadable;
use crate::storage::currencies::{self, Inserted, Registered};

/// As the registry's own check has it.
const NAME_LENGTH_MAX: usize = 64;

/// Which registry, and what to do with it.
#[derive(Args, Clone, Debug)]
// One database, whether it is named before or after `add`.
#[command(mut_args(|arg| arg.global(true)))]
pub(super) struct CurrenciesArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Add a currency, for good: nothing changes or removes one
    Add(AddArgs),
}

/// The currency to add.
#[derive(Args, Clone, Debug)]
struct AddArgs {
    /// Its code, for settings and reports: 3 to 12 upper-case letters and digits, starting with a letter
    #[arg(value_parser = parse_currency)]
    code: CurrencyCode,

    /// Its name, for people and the ledger interface: 1 to 64 lower-case letters, digits, blanks, _ and -, starting with a letter
    #[arg(value_parser = parse_name)]
    name: String,

    /// How many decimals its amounts have: 0 to 18
    #[arg(value_parser = parse_scale, allow_negative_numbers = true)]
    scale: u8,

    /// Mark it as a crypto currency
    #[arg(long)]
    crypto: bool,
}

pub(super) async fn run(args: &CurrenciesArgs) -> Result<bool, AppError> {
    let action = args.action.as_ref();
    once::ask(
        &args.database,
        "currencies",
        async |connection| match action {
            None => {
                let registry = currencies::list(connection).await?;
                Ok(Ok(table(&readable(registry))))
            }
            Some(Action::Add(args)) => {
                let currency = args.to_registered();
                let inserted = currencies::insert(connection, &currency).await?;
                Ok(describe(inserted, &currency))
            }
        },
    )
    .await
}

/// A currency that a newer program added, and this one cannot read, does not hide the others.
fn readable(registry: Vec<Result<Registered, Unreadable>>) -> Vec<Registered> {
    let registry = registry.into_iter().filter_map(|registered| {
        registered
            .inspect_err(|error| tracing::warn!(%error, "a currency is left out"))
            .ok()
    });
    registry.collect()
}

/// A line for each currency, under a line that names the columns.
fn table(registry: &[Registered]) -> String {
    let names = registry.iter().map(|registered| registered.name.len());
    let width = names.fold("NAME".len(), usize::max);
    let mut text = format!("CODE          {:<width$}  DECIMALS  CRYPTO\n", "NAME");
    for registered in registry {
        let Currency { code, scale } = registered.currency;
        let (name, crypto) = (&registered.name, yes_or_no(registered.crypto));
        text.push_str(&format!(
            "{:<12}  {name:<width$}  {scale:>8}  {crypto}\n",
            code.as_str()
        ));
    }
    text
}

/// # Errors
/// Where it was not added: there is one like it.
fn describe(inserted: Inserted, registered: &Registered) -> Result<String, AppError> {
    let Registered {
        currency: Currency { code, scale },
        name,
        crypto,
    } = registered;
    match inserted {
        Inserted::Added => Ok(format!(
            "added {code}: name {name}, decimals {scale}, crypto {}\n",
            yes_or_no(*crypto)
        )),
        Inserted::CodeTaken => Err(AppError::CurrencyTaken(format!("with the code {code}"))),
        Inserted::NameTaken => Err(AppError::CurrencyTaken(format!("with the name {name}"))),
    }
}

fn yes_or_no(answer: bool) -> &'static str {
    if answer { "yes" } else { "no" }
}

impl AddArgs {
    fn to_registered(&self) -> Registered {
        Registered {
            currency: Currency {
                code: self.code,
                scale: self.scale,
            },
            name: self.name.clone(),
            crypto: self.crypto,
        }
    }
}

fn parse_name(name: &str) -> Result<String, String> {
    let is_allowed = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || " _-".contains(letter)
    };
    let is_name = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(is_allowed)
        && name.len() <= NAME_LENGTH_MAX;
    is_name.then(|| name.to_owned()).ok_or_else(|| {
        format!(
            "not a currency name: 1 to {NAME_LENGTH_MAX} lower-case letters, digits, blanks, _ and -, starting with a letter"
        )
    })
}

fn parse_scale(scale: &str) -> Result<u8, String> {
    let parsed = scale.parse().ok();
    parsed
        .filter(|scale| *scale <= SCALE_MAX)
        .ok_or_else(|| format!("not a number of decimals: a whole number from 0 to {SCALE_MAX}"))
}
