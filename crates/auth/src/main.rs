//! `tintype-auth`: one call of the companions' common life.

use std::process::ExitCode;

fn main() -> ExitCode {
    companion::binary::run::<auth::Place, auth::Config>(
        "Users, tokens, API keys, grants, signed URLs and the audit log of a Tintype installation.",
        async |config, ground| {
            let auth = auth::Auth::open(&config).await?;
            if let Some(first) = auth.first_administrator(&config.auth.sign_up_tenant).await? {
                // Not by the log: it is kept, and the password must not be.
                eprintln!("The first administrator is {}, with the password {}", first.email, first.password);
                eprintln!("It is not shown again. Change it: POST /auth/v1/password");
            }
            auth.metrics().register(&mut ground.registry);
            auth::build(&config, auth::Parts { auth, base: ground.base() })
        },
    )
}
