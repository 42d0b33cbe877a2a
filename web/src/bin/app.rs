//! The page's entry.

fn main() {
    console_error_panic_hook::set_once();
    trainscope_web::page::mount();
}
