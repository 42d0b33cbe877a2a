//! Dialogs over the page.

/// Opens or closes a dialog.
pub(super) fn show_modal(dialog: &web_sys::HtmlDialogElement, is_wanted: bool) {
    if is_wanted && !dialog.open() {
        // Fails for a dialog that is not in the document, and nobody sees such a one.
        let _ = dialog.show_modal();
    } else if !is_wanted && dialog.open() {
        dialog.close();
    }
}
