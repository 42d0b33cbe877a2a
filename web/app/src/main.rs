//! The entry of the page and of its web workers. They are one program, which is fetched and
//! compiled once: two would both contain much of it. What each does comes as a part of it.

fn main() {
    console_error_panic_hook::set_once();
    if web_sys::window().is_some() {
        ckptscope_web_page::mount();
    } else {
        ckptscope_web_tab::begin();
    }
}
