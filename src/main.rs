//! tracuu
fn main() {}
