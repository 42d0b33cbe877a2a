//! Rules that hold for every menu and every field.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use ckptscope_loopback::Served;
use serde_json::{Value, json};

use super::{PageTest, Site, saving, visit};
use crate::browser::Tab;
use crate::given::RUN;

pub(super) const TESTS: &[PageTest] = page_tests![
    no_field_rewrites_what_is_typed,
    every_menu_folds_by_the_same_rule,
    the_page_s_own_undo_answers_in_the_yaml,
    an_edit_of_the_form_keeps_comments,
    a_step_that_cannot_be_read_is_left_out_by_a_click,
    a_step_that_stopped_layers_is_left_out_and_the_rest_computed,
    what_belongs_together_opens_in_any_order,
    the_address_names_what_is_shown_or_nothing,
    every_chart_is_on_paper,
    values_that_are_not_drawn_are_counted,
    every_series_has_a_name_and_a_look_of_its_own,
    a_message_that_names_choices_offers_them,
];

/// The demo's results, saved.
const FILE: &str = "demo.ckptscope.json";

/// Fields of the form, as a person would fill them in.
const FIELDS: &str = "aside input[type=text]";

fn no_field_rewrites_what_is_typed(tab: &Tab, site: &Site) -> Result<()> {
    open_run(tab, site)?;
    tab.click("[data-test=steps-range]")?;
    tab.click("[data-test=metric]:nth-of-type(1) [data-test=metric-fold]")?;
    tab.wait_until_shown("[data-test=range-every]")?;
    ensure!(
        tab.count("input[type=number]")? == 0,
        "a browser's field for numbers shows what it does not tell"
    );
    let count = tab.count(FIELDS)?;
    ensure!(count >= 4, "there are {count} fields");
    for place in 0..count {
        tab.run(&format!(
            "const field = [...document.querySelectorAll('{FIELDS}')][{place}];\
             field.scrollIntoView({{block: 'center'}}); field.focus(); field.select()"
        ))?;
        for typed in ["1.5", "1e3", "10.000", ""] {
            tab.press("Control+a")?;
            tab.press("Delete")?;
            if !typed.is_empty() {
                tab.type_text(typed)?;
            }
            // Checked by now, and whatever follows from that is done.
            tab.run_async("setTimeout(done, 400)")?;
            let shown = tab.run("return document.activeElement.value")?;
            ensure!(
                shown == json!(typed),
                "{typed:?} became {shown} in field {place}"
            );
        }
    }
    // What is no whole number is told beside its field, and not computed with.
    open_run(tab, site)?;
    tab.click("[data-test=steps-range]")?;
    tab.wait_until_shown("[data-test=range-every]")?;
    tab.click("[data-test=range-every]")?;
    tab.press("Control+a")?;
    tab.type_text("1.5")?;
    tab.wait_until_shown("[data-test=problem]")?;
    ensure!(
        tab.has("[data-test=range-every][aria-invalid=true]")?,
        "it is not marked"
    );
    ensure!(
        !tab.has("[data-test=range-from][aria-invalid=true]")?,
        "another one is marked"
    );
    ensure!(tab.has("[data-test=run]:disabled")?, "it could be run");
    Ok(())
}

fn every_menu_folds_by_the_same_rule(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let count = tab.count("details.menu")?;
    ensure!(count >= 5, "there are {count} menus");
    let menu = |place: u64| format!("[...document.querySelectorAll('details.menu')][{place}]");
    let unfold = |place: u64| -> Result<()> {
        let menu = menu(place);
        tab.run(&format!(
            "const opener = {menu}.querySelector('summary');\
             opener.scrollIntoView({{block: 'center'}}); opener.focus(); opener.click()"
        ))?;
        tab.wait_for("an open menu", &format!("{menu}.open"))
    };
    for place in 0..count {
        let name = tab.run(&format!(
            "return {}.querySelector('summary').textContent",
            menu(place)
        ))?;
        let is_folded = format!("!{}.open", menu(place));
        unfold(place)?;
        tab.press("Escape")?;
        tab.wait_for(&format!("{name} to fold on Escape"), &is_folded)?;
        let has_focus = format!(
            "return document.activeElement === {}.querySelector('summary')",
            menu(place)
        );
        ensure!(tab.run(&has_focus)? == true, "{name}: the focus is lost");
        unfold(place)?;
        tab.run("document.body.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true}))")?;
        tab.wait_for(&format!("{name} to fold on a click beside it"), &is_folded)?;
        unfold(place)?;
        tab.run("document.querySelector('[data-test=tab-yaml]').focus()")?;
        tab.wait_for(&format!("{name} to fold when the focus leaves"), &is_folded)?;
    }
    Ok(())
}

fn the_page_s_own_undo_answers_in_the_yaml(tab: &Tab, site: &Site) -> Result<()> {
    const YAML: &str = "[data-test=yaml]";
    open_run(tab, site)?;
    tab.click("[data-test=tab-yaml]")?;
    tab.wait_until_shown(YAML)?;
    let before = tab.value(YAML)?;
    tab.click(YAML)?;
    tab.press("Control+End")?;
    tab.press("Tab")?;
    tab.type_text("# why")?;
    let written = tab.value(YAML)?;
    tab.press("Control+z")?;
    tab.wait_for(
        "the text as it was",
        &format!(
            "document.querySelector('{YAML}').value === {}",
            json!(before)
        ),
    )?;
    tab.press("Control+y")?;
    tab.wait_for(
        "the text again",
        &format!(
            "document.querySelector('{YAML}').value === {}",
            json!(written)
        ),
    )?;
    Ok(())
}

/// A config with comments, of the demo run.
const COMMENTED: &str = "# every morning\nsteps: all   # of them\nmetrics:\n  # how many directions\n  - \
    metric_name: per\n    data_split: val   # not train\n    components:\n      - {component_name: simple, \
    data_type: weights, layer_suffixes: swiglu.w_2, layers: all}  # the last one\n";

fn an_edit_of_the_form_keeps_comments(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("mine.yaml");
    let drop_config = |text: &str| -> Result<()> {
        std::fs::write(&config, text)?;
        tab.drop_files("main", &[&config])?;
        tab.wait_for("the config", &yaml_is(text))?;
        visit::wait_until_opened(tab)
    };
    open_run(tab, site)?;
    drop_config(COMMENTED)?;
    tab.click("[data-test=tab-ask]")?;
    visit::wait_until_opened(tab)?;
    tab.click("[data-test=metric]:nth-of-type(1) [data-test=metric-fold]")?;
    tab.click_when_shown("[data-test=metric-duplicate]")?;
    visit::wait_until_opened(tab)?;
    tab.click("[data-test=steps-some]")?;
    visit::wait_until_opened(tab)?;
    ensure!(!tab.has("[data-test=without-comments]")?, "comments went");
    tab.click("[data-test=tab-yaml]")?;
    tab.wait_until_shown("[data-test=yaml]")?;
    let now = tab.value("[data-test=yaml]")?;
    let expected = COMMENTED.replace("steps: all ", "steps: [0, 2000] ");
    ensure!(
        now.starts_with(&expected) && now.len() > expected.len(),
        "the YAML is now:\n{now}"
    );
    // A value with comments within cannot be replaced without them: that is said.
    let listed = COMMENTED.replace("steps: all   # of them", "steps:\n  - 0   # odd\n  - 16");
    drop_config(&listed)?;
    tab.click("[data-test=tab-ask]")?;
    visit::wait_until_opened(tab)?;
    tab.click("[data-test=steps-all]")?;
    tab.click_when_shown("[data-test=undo-comments]")?;
    tab.click("[data-test=tab-yaml]")?;
    tab.wait_for("the comment again", &yaml_is(&listed))
}

fn yaml_is(text: &str) -> String {
    format!(
        "document.querySelector('[data-test=yaml]')?.value === {}",
        json!(text)
    )
}

/// A run of three steps, of which one's weights are cut off.
fn with_cut_step(site: &Site, folder: &Path, step: u64) -> Result<PathBuf> {
    let (run, copy) = (site.given.root.join(RUN), folder.join("cut-run"));
    for number in [0, 16, 700] {
        let name = format!("checkpoints/step_{number}/learning_dynamics");
        std::fs::create_dir_all(copy.join(&name))?;
        let name = format!("{name}/val_weights.pt");
        std::fs::copy(run.join(&name), copy.join(&name))?;
    }
    let name = format!("checkpoints/step_{step}/learning_dynamics/val_weights.pt");
    super::checkpoints::cut(&run.join(&name), &copy.join(&name))?;
    Ok(copy)
}

fn a_step_that_cannot_be_read_is_left_out_by_a_click(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    visit::drop_run(tab, &site.page, &[&with_cut_step(site, folder.path(), 16)?])?;
    let config = folder.path().join("strict.yaml");
    std::fs::write(&config, format!("{COMMENTED}on_error: stop\n"))?;
    tab.drop_files("main", &[&config])?;
    tab.wait_for_words("[data-test=problem]", "step 16 cannot be read")?;
    ensure!(tab.has("[data-test=run]:disabled")?, "it could be run");
    tab.wait_for_words("[data-test=leave-out]", "Leave out step 16")?;
    tab.click("[data-test=leave-out]")?;
    tab.wait_until_gone("[data-test=problem]")?;
    visit::wait_until_opened(tab)?;
    tab.click("[data-test=tab-yaml]")?;
    tab.wait_until_shown("[data-test=yaml]")?;
    let now = tab.value("[data-test=yaml]")?;
    ensure!(
        now.contains("steps: [0, 700]   # of them"),
        "the YAML is now:\n{now}"
    );
    visit::run_proposal(tab)?;
    ensure!(!tab.has("[data-test=failures]")?, "a layer failed");
    Ok(())
}

/// A file that is gone when its turn comes.
fn a_step_that_stopped_layers_is_left_out_and_the_rest_computed(
    tab: &Tab,
    site: &Site,
) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let run = with_cut_step(site, folder.path(), 700)?;
    let name = "checkpoints/step_700/learning_dynamics/val_weights.pt";
    std::fs::copy(site.given.root.join(RUN).join(name), run.join(name))?;
    visit::drop_run(tab, &site.page, &[&run])?;
    let config = folder.path().join("mine.yaml");
    std::fs::write(&config, COMMENTED)?;
    tab.drop_files("main", &[&config])?;
    tab.wait_for("the config", &yaml_is(COMMENTED))?;
    visit::wait_until_opened(tab)?;
    std::fs::remove_file(run.join(name))?;
    tab.click("[data-test=run]")?;
    tab.wait_for_words("[data-test=failures]", "3 layers could not be computed")?;
    tab.wait_for_words("[data-test=failures]", "and 2 other layers at step 700")?;
    let lines = tab.count("[data-test=failures] li")?;
    ensure!(lines == 1, "one reason is said {lines} times");
    tab.click("[data-test=leave-out]")?;
    tab.wait_until_gone("[data-test=failures]")?;
    visit::wait_until_done(tab)?;
    tab.wait_for_words("[data-test=progress]", "6 of 6 layer steps")?;
    visit::wait_until_drawn(tab)
}

/// An analysis' own folder opens its results, and a config that comes first waits for its run.
fn what_belongs_together_opens_in_any_order(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    let saved = saving::save(tab, folder.path(), "save-results", FILE)?;
    let analysis = folder.path().join("analysis");
    std::fs::create_dir(&analysis)?;
    std::fs::rename(saved, analysis.join("results.json"))?;
    std::fs::write(analysis.join("config.yaml"), COMMENTED)?;
    std::fs::write(analysis.join("run.json"), "{}")?;
    visit::open(tab, &site.page)?;
    tab.drop_files("main", &[&analysis])?;
    visit::wait_until_drawn(tab)?;
    tab.wait_until_shown("[data-test=results-source]")?;
    // One file of it says which file has the results.
    visit::open(tab, &site.page)?;
    tab.drop_files("main", &[&analysis.join("run.json")])?;
    tab.wait_for_words("[data-test=state-failed]", "results.json")?;
    // The config first, then the run.
    visit::open(tab, &site.page)?;
    tab.drop_files("main", &[&analysis.join("config.yaml")])?;
    tab.wait_for_words("[data-test=arrival]", "waits for a run")?;
    tab.drop_files("main", &[&site.given.root.join(RUN)])?;
    visit::wait_until_opened(tab)?;
    tab.click_when_shown("[data-test=tab-yaml]")?;
    tab.wait_for("the config", &yaml_is(COMMENTED))?;
    ensure!(!tab.has("[data-test=arrival]")?, "it still waits");
    visit::wait_until_opened(tab)?;
    visit::run_proposal(tab)?;
    // Both at once.
    visit::open(tab, &site.page)?;
    let run = site.given.root.join(RUN);
    tab.drop_files("main", &[&analysis.join("config.yaml"), &run])?;
    visit::wait_until_opened(tab)?;
    tab.click_when_shown("[data-test=tab-yaml]")?;
    tab.wait_for("the config", &yaml_is(COMMENTED))?;
    let title = tab.run("return document.title")?;
    let has_run = title
        .as_str()
        .is_some_and(|it| it.contains("pico-decoder-micro-1"));
    ensure!(has_run, "the title is {title}");
    Ok(())
}

fn the_address_names_what_is_shown_or_nothing(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let title = tab.run("return document.title")?;
    let title = title.as_str().unwrap_or_default();
    ensure!(
        title.contains("pico-decoder-micro-1") && title.contains("ckptscope"),
        "the title is {title}"
    );
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    saving::save(tab, folder.path(), "save-results", FILE)?;
    let host = Served {
        is_shared: true,
        ..Served::folder(folder.path().to_path_buf())
    };
    let named = format!("{}#results={}{FILE}", site.page, host.start(0)?);
    visit::open(tab, &named)?;
    visit::wait_until_drawn(tab)?;
    let hash = || tab.run("return location.hash");
    ensure!(
        hash()?
            .as_str()
            .is_some_and(|hash| hash.starts_with("#results=")),
        "it went"
    );
    tab.drop_files("main", &[&site.given.root.join(RUN)])?;
    visit::wait_until_opened(tab)?;
    ensure!(
        hash()? == "",
        "the address names something else: {}",
        hash()?
    );
    tab.run("history.back()")?;
    tab.wait_for(
        "the results again",
        "location.hash && document.querySelector('[data-test=arrival]')",
    )?;
    visit::wait_until_drawn(tab)
}

fn every_chart_is_on_paper(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let cards = tab.count("[data-test=card]")?;
    // What the browser does before it prints: the event, and what was promised meanwhile.
    let drawn = tab.run_async(
        "(async () => {\
           dispatchEvent(new Event('beforeprint'));\
           for (let turn = 0; turn < 500; turn++) await null;\
           const cards = [...document.querySelectorAll('[data-test=card]')];\
           const drawn = cards.filter(card => card.querySelector('[data-test=drawing] svg .series')).length;\
           dispatchEvent(new Event('afterprint'));\
           done(drawn)\
         })()",
    )?;
    ensure!(drawn == cards, "{drawn} of {cards} charts are on paper");
    Ok(())
}

fn values_that_are_not_drawn_are_counted(tab: &Tab, site: &Site) -> Result<()> {
    show_changed(tab, site, |results| {
        let first = results["series"][0]["values"].as_array_mut();
        let first = first.context("a series has values")?;
        (first[0], first[1], first[2]) = (json!(0.0), json!(null), json!(-1.0));
        Ok(())
    })?;
    for view in ["Lines", "Heatmap"] {
        visit::choose(tab, "view", view)?;
        for (y, words) in [
            ("linear", "1 undefined"),
            ("log", "2 not above 0, on a log axis"),
        ] {
            visit::choose(tab, "y", y)?;
            tab.wait_for_words("[data-test=card] [data-test=note]", words)?;
        }
    }
    Ok(())
}

fn every_series_has_a_name_and_a_look_of_its_own(tab: &Tab, site: &Site) -> Result<()> {
    // Experts of one layer, more than there are dashes.
    show_changed(tab, site, |results| {
        let series = results["series"]
            .as_array_mut()
            .context("there are series")?;
        let mut known: Vec<Value> = Vec::new();
        for one in series.iter_mut() {
            let place = known.iter().position(|it| *it == one["component"]);
            let place = place.unwrap_or_else(|| {
                known.push(one["component"].clone());
                known.len() - 1
            });
            one["component"] = json!(format!("mlp.experts.{place}.down_proj"));
        }
        let others = series.clone().into_iter().map(|mut one| {
            let name = one["component"].as_str().unwrap_or_default();
            one["component"] = json!(name.replace("mlp", "shared"));
            one
        });
        series.extend(others.collect::<Vec<_>>());
        Ok(())
    })?;
    for colours in ["layer", "part"] {
        visit::choose(tab, "colour-by", colours)?;
        tab.run("document.querySelectorAll('[data-test=legend-more][aria-expanded=false]').forEach(more => more.click())")?;
        tab.wait_until_still()?;
        let twins = tab.run(
            "return [...document.querySelectorAll('[data-test=legend]')].flatMap(legend => {\
               const looks = [...legend.querySelectorAll('[data-test=series]')].map(series => {\
                 const line = series.querySelector('line');\
                 return [series.querySelector('.name').textContent,\
                   line.getAttribute('stroke') + line.getAttribute('stroke-dasharray')\
                   + (series.querySelector('.mark')?.textContent ?? '')];\
               });\
               return [0, 1].flatMap(part => {\
                 const all = looks.map(look => look[part]);\
                 return all.filter((one, place) => all.indexOf(one) !== place);\
               })\
             })",
        )?;
        ensure!(twins == json!([]), "by {colours} there are twins: {twins}");
    }
    let name = tab.words("[data-test=series] .name")?;
    ensure!(name.contains("experts."), "a name is {name}");
    visit::choose(tab, "view", "Table")?;
    let twins = tab.run(
        "return [...document.querySelectorAll('[data-test=table]')].flatMap(table => {\
           const rows = [...table.querySelectorAll('tbody tr')].map(row =>\
             [...row.querySelectorAll('th, td')].slice(0, 3).map(cell => cell.textContent).join(' '));\
           return rows.filter((one, place) => rows.indexOf(one) !== place)\
         })",
    )?;
    ensure!(twins == json!([]), "the table has twins: {twins}");
    Ok(())
}

/// Shows the demo's results with a change.
fn show_changed(
    tab: &Tab,
    site: &Site,
    change: impl FnOnce(&mut Value) -> Result<()>,
) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    let saved = saving::save(tab, folder.path(), "save-results", FILE)?;
    let mut results: Value = serde_json::from_slice(&std::fs::read(&saved)?)?;
    change(&mut results)?;
    std::fs::write(&saved, serde_json::to_vec(&results)?)?;
    visit::open(tab, &site.page)?;
    tab.drop_files("main", &[&saved])?;
    visit::wait_until_drawn(tab)
}

fn a_message_that_names_choices_offers_them(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let whole = super::checkpoints::write_whole(folder.path())?;
    let runs = folder.path().join("runs");
    for run in ["one", "two"] {
        let run = runs.join(run);
        std::fs::create_dir_all(&run)?;
        std::fs::copy(&whole, run.join("model.safetensors"))?;
    }
    visit::open(tab, &site.page)?;
    tab.drop_files("main", &[&runs])?;
    tab.wait_until_shown("[data-test=open-choice]")?;
    ensure!(
        tab.count("[data-test=open-choice]")? == 2,
        "not both are offered"
    );
    tab.click("[data-test=open-choice]")?;
    tab.wait_until_shown("aside")?;
    tab.wait_until_gone("[data-test=state-failed]")
}

fn open_run(tab: &Tab, site: &Site) -> Result<()> {
    visit::drop_run(tab, &site.page, &[&site.given.root.join(RUN)])?;
    tab.wait_until_shown("[data-test=metric]")
}
