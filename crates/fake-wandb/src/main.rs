//! `fake-wandb`: the server for who is not written in Rust. It first prints what W&B's tools want
//! to find in their environment, and runs until it is ended.

use std::{io, thread};

use ckptscope_fake_wandb::{FakeWandb, KEY};

fn main() -> io::Result<()> {
    let fake = FakeWandb::start()?;
    println!("WANDB_BASE_URL={} WANDB_API_KEY={KEY}", fake.base_url());
    loop {
        thread::park();
    }
}
