//! How long a lost connection is left alone.

use gloo_timers::future::TimeoutFuture;

use crate::native::NativeError;

/// Seconds until it is tried again: the first time, the second, and so on.
const SECONDS: [u32; 6] = [1, 2, 4, 8, 16, 30];

/// The worker's disk is full, which does not pass by itself.
const DISK_FULL: u16 = 507;

/// Counts connections that were lost one after the other.
#[derive(Default)]
pub(crate) struct Patience {
    failures: usize,
}

impl Patience {
    /// Something was heard.
    pub(crate) const fn renew(&mut self) {
        self.failures = 0;
    }

    /// Waits; every second it tells how many are left.
    pub(crate) async fn wait(&mut self, tell: impl Fn(u32)) {
        for left in (1..=self.next()).rev() {
            tell(left);
            TimeoutFuture::new(1000).await;
        }
    }

    fn next(&mut self) -> u32 {
        let last = SECONDS.len() - 1;
        let seconds = SECONDS.get(self.failures.min(last));
        self.failures += 1;
        seconds.copied().unwrap_or(1)
    }
}

/// Why a connection was lost; none where trying again leads nowhere.
pub(crate) fn lost(error: &NativeError) -> Option<String> {
    match error {
        NativeError::Unreachable { reason, .. } | NativeError::Foreign { reason, .. } => {
            Some(reason.clone())
        }
        NativeError::Refused { status, refusal } if *status >= 500 && *status != DISK_FULL => {
            Some(refusal.message.clone())
        }
        NativeError::Refused { .. } | NativeError::Token { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use ckptscope_protocol::service::Refusal;
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn who_stays_away_is_asked_less_often() {
        let mut patience = Patience::default();
        let waits: Vec<u32> = (0..8).map(|_| patience.next()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        patience.renew();
        assert_eq!(patience.next(), 1);
    }

    #[test]
    fn who_is_gone_is_tried_again_and_who_refuses_is_not() {
        let refused = |status| NativeError::Refused {
            status,
            refusal: Refusal::default(),
        };
        let address = String::new();
        assert!(lost(&refused(503)).is_some());
        assert!(lost(&refused(404)).is_none());
        assert!(lost(&refused(507)).is_none());
        assert!(lost(&NativeError::Token { address }).is_none());
    }
}
