//! Who is asking: users who sign up and in, and the sessions that follow.

use std::fmt;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::passwords::Password;
use super::{Service, read};
use crate::ledger::{
    Answered, Currency, Email, Fault, FirstAccount, Key, Magnitude, NewSession, OpenUser,
    Rejection, UserId,
};
use crate::storage;
use crate::storage::sessions::{self, Lifetime, TokenHash};

/// Half an hour without use ends a session, and a day ends it in any case.
const LIFETIME: Lifetime = Lifetime {
    idle: Duration::from_mins(30),
    absolute: Duration::from_hours(24),
};

/// Who signs up.
pub struct SignUp {
    pub name: String,
    pub email: Email,
    pub password: Password,
    /// Of the account that is opened along.
    pub currency: Currency,
}

/// What became of a sign-up.
pub struct SignedUp {
    pub answered: Answered,
    /// Of the session that the user has now. None where the sign-up was refused.
    pub session: Option<SessionToken>,
}

/// What a user who signed in shows with each request: 256 random bits, in hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

impl Service {
    /// Opens a user who can sign in, and who is signed in: the session is part of the same statement. The password is no part of
    /// the key's digest, which is stored: who asks again with another password is told apart by the password itself, and gets
    /// another session.
    pub async fn sign_up(&self, user: SignUp, key: Option<Key>) -> Result<SignedUp, Fault> {
        let SignUp {
            name,
            email,
            password,
            currency,
        } = user;
        self.sweep_sessions().await?;
        let token = SessionToken::random()?;
        let open = OpenUser {
            name: Some(name),
            email: Some(email.clone()),
            password_hash: Some(self.passwords.hash(password.clone()).await?),
            session: Some(NewSession {
                token_hash: token.hash(),
                lifetime: LIFETIME.absolute,
            }),
            account: Some(FirstAccount {
                currency,
                opening_balance: Magnitude::ZERO,
            }),
        };
        let answered = self.open_user(open, key).await?;
        let (answered, session) = match &answered.outcome {
            Ok(receipt) if answered.replayed => {
                let transaction = receipt.transaction;
                match self.sign_in(&email, password).await? {
                    Some(user) => (answered, Some(self.open_session(user).await?)),
                    None => (
                        Answered::first(Err(Rejection::KeyReused { transaction })),
                        None,
                    ),
                }
            }
            Ok(_) => (answered, Some(token)),
            Err(_) => (answered, None),
        };
        Ok(SignedUp { answered, session })
    }

    /// Who has this email and this password. It takes as long where there is nobody.
    pub async fn sign_in(
        &self,
        email: &Email,
        password: Password,
    ) -> Result<Option<UserId>, Fault> {
        let emails = email.stored_as();
        let found = read(&self.reads, async |connection| {
            storage::users::find_password(connection, &emails).await
        })
        .await?;
        let (user, hash) = found.unzip();
        let is_right = self.passwords.verify(password, hash).await?;
        Ok(user.filter(|_| is_right))
    }

    /// Begins a session.
    pub async fn open_session(&self, user: UserId) -> Result<SessionToken, Fault> {
        self.sweep_sessions().await?;
        let token = SessionToken::random()?;
        let hash = token.hash();
        read(&self.reads, async |connection| {
            sessions::insert(connection, &hash, user, LIFETIME).await
        })
        .await?;
        Ok(token)
    }

    /// Whose session it is. Asked of the database each time, so that a session that ended is dead everywhere at once.
    pub async fn find_session(&self, token: &SessionToken) -> Result<Option<UserId>, Fault> {
        let hash = token.hash();
        read(&self.reads, async |connection| {
            sessions::find_user(connection, &hash, LIFETIME).await
        })
        .await
    }

    /// Done before each session that begins.
    async fn sweep_sessions(&self) -> Result<(), Fault> {
        read(&self.reads, async |connection| {
            sessions::sweep(connection, LIFETIME).await
        })
        .await
    }

    /// Ends a session.
    pub async fn close_session(&self, token: &SessionToken) -> Result<(), Fault> {
        let hash = token.hash();
        read(&self.reads, async |connection| {
            sessions::delete(connection, &hash).await
        })
        .await
    }
}

impl SessionToken {
    /// As a client shows it; `None` where it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_token = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_token.then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn random() -> Result<Self, Fault> {
        let [mut high, mut low] = [[0; 16]; 2];
        let filled = getrandom::fill(&mut high).and_then(|()| getrandom::fill(&mut low));
        filled.map_err(|error| {
            tracing::error!(%error, "the system gives no random bytes");
            Fault::Bug
        })?;
        let [high, low] = [high, low].map(u128::from_be_bytes);
        Ok(Self(format!("{high:032x}{low:032x}")))
    }

    fn hash(&self) -> TokenHash {
        Sha256::digest(&self.0).into()
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SessionToken")
    }
}
