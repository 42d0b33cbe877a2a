//! What goes over the network, and how long a server wants none of it, in words.

use ckptscope_protocol::tab::NetworkNews;

use super::readout;

/// `12 requests, 340 kB`; none where nothing went over the network.
pub(super) fn traffic(news: NetworkNews) -> Option<String> {
    (news.requests > 0).then(|| {
        let requests = readout::counted(news.requests, "request");
        format!("{requests}, {}", readout::bytes(news.bytes))
    })
}

/// What a server wants waited for.
pub(super) fn waiting(news: NetworkNews) -> Option<String> {
    (news.wait_seconds > 0).then(|| {
        let seconds = readout::counted(news.wait_seconds, "second");
        format!("the server allows no more requests for now; going on in {seconds}")
    })
}

/// How listing goes: `1,000 commits and 312 files listed, 12 requests, 340 kB`.
pub(super) fn listing(news: NetworkNews) -> Option<String> {
    let commits = (news.commits > 0).then(|| readout::counted(news.commits, "commit"));
    let files = (news.files > 0).then(|| readout::counted(news.files, "file"));
    let listed: Vec<String> = [commits, files].into_iter().flatten().collect();
    let listed = (!listed.is_empty()).then(|| format!("{} listed", listed.join(" and ")));
    let parts = [listed, traffic(news), waiting(news)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}
