//! Signals that ask the program to end.
//!
//! A signal that is ignored when the program starts stays ignored: `nohup` ignores SIGHUP so that
//! an analysis outlives its terminal, and a shell that starts a program in the background ignores
//! SIGINT.

use anyhow::{Context, Result};

/// Calls `asked` whenever somebody asks the program to end, from a thread of its own.
///
/// # Errors
/// When the machine has no thread or handler left.
#[cfg(unix)]
pub(crate) fn on_end(mut asked: impl FnMut() + Send + 'static) -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let heeded = [SIGINT, SIGTERM, SIGHUP].into_iter();
    let heeded = heeded.filter(|signal| !is_ignored(*signal));
    let listening = Signals::new(heeded).and_then(|mut signals| {
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || signals.forever().for_each(|_| asked()))
    });
    listening.map(drop).context("cannot listen for Ctrl-C")
}

/// Whether whoever started the program had it ignore the signal.
#[cfg(unix)]
#[expect(unsafe_code, reason = "only the C library knows, and it is only asked")]
fn is_ignored(signal: std::ffi::c_int) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: without a new action the call changes nothing and writes the present one.
    let asked = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: a call that says 0 has written it.
    asked == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}

/// Calls `asked` whenever somebody asks the program to end, from a thread of its own.
///
/// # Errors
/// When the machine has no handler left.
#[cfg(not(unix))]
pub(crate) fn on_end(asked: impl FnMut() + Send + 'static) -> Result<()> {
    ctrlc::set_handler(asked).context("cannot listen for Ctrl-C")
}
