//! Makes cargo see new migration files, which `embed_migrations!` reads.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
