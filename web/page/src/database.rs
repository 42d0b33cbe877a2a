//! The browser's database of this site: texts, and handles of files, by key.
//!
//! Bindings are written out here: the few calls that are needed are a tenth of what the browser
//! has.

use ckptscope_web_browser::in_words;
use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    type Factory;
    #[wasm_bindgen(method, catch)]
    fn open(this: &Factory, name: &str, version: u32) -> Result<Request, JsValue>;

    #[derive(Clone)]
    type Request;
    #[wasm_bindgen(method, getter)]
    fn result(this: &Request) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn error(this: &Request) -> JsValue;
    #[wasm_bindgen(method, setter)]
    fn set_onsuccess(this: &Request, listener: &Function);
    #[wasm_bindgen(method, setter)]
    fn set_onerror(this: &Request, listener: &Function);
    #[wasm_bindgen(method, setter)]
    fn set_onupgradeneeded(this: &Request, listener: &Function);

    type Connection;
    #[wasm_bindgen(method, js_name = createObjectStore, catch)]
    fn create_object_store(this: &Connection, name: &str) -> Result<Store, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn transaction(this: &Connection, name: &str, mode: &str) -> Result<Transaction, JsValue>;

    type Transaction;
    #[wasm_bindgen(method, js_name = objectStore, catch)]
    fn object_store(this: &Transaction, name: &str) -> Result<Store, JsValue>;

    type Store;
    #[wasm_bindgen(method, catch)]
    fn put(this: &Store, value: &JsValue, key: &str) -> Result<Request, JsValue>;
    #[wasm_bindgen(method, js_name = getAll, catch)]
    fn get_all(this: &Store, keys: &JsValue) -> Result<Request, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn delete(this: &Store, keys: &JsValue) -> Result<Request, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn clear(this: &Store) -> Result<Request, JsValue>;

    #[wasm_bindgen(js_name = IDBKeyRange)]
    type KeyRange;
    #[wasm_bindgen(static_method_of = KeyRange, js_class = "IDBKeyRange", catch)]
    fn bound(first: &str, last: &str) -> Result<JsValue, JsValue>;
}

/// What the database is called.
const NAME: &str = "ckptscope";
const VERSION: u32 = 1;

/// Its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// What there is to know of each analysis.
    Analyses,
    /// Their results, without the numbers.
    Plans,
    /// Their numbers, as they came.
    Numbers,
    /// Handles of the files they are of.
    Handles,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Analyses, Self::Plans, Self::Numbers, Self::Handles];

    const fn name(self) -> &'static str {
        match self {
            Self::Analyses => "analyses",
            Self::Plans => "plans",
            Self::Numbers => "numbers",
            Self::Handles => "handles",
        }
    }
}

/// The database, open.
#[derive(Debug)]
pub struct Database(JsValue);

impl Database {
    /// Opens it, and makes it where there is none yet.
    ///
    /// # Errors
    /// What the browser says where it keeps nothing.
    pub async fn open() -> Result<Self, String> {
        let factory = Reflect::get(&js_sys::global(), &"indexedDB".into());
        let factory = factory.ok().filter(JsValue::is_object);
        let factory: Factory = factory.ok_or("it has no database")?.unchecked_into();
        let request = factory.open(NAME, VERSION).map_err(|it| in_words(&it))?;
        let made = request.clone();
        let make = Closure::once_into_js(move || {
            let connection: Connection = made.result().unchecked_into();
            for table in Table::ALL {
                // Fails where it is there.
                let _ = connection.create_object_store(table.name());
            }
        });
        request.set_onupgradeneeded(make.unchecked_ref());
        answer(&request).await.map(Self)
    }

    /// Keeps a value, in place of one of the same key.
    ///
    /// # Errors
    /// What the browser says where there is no room.
    pub async fn put(&self, table: Table, key: &str, value: &JsValue) -> Result<(), String> {
        let request = self.store(table, "readwrite")?.put(value, key);
        answered(request).await.map(drop)
    }

    /// All values whose keys begin so, in the order of their keys.
    ///
    /// # Errors
    /// In the browser's words.
    pub async fn all(&self, table: Table, beginning: &str) -> Result<Vec<JsValue>, String> {
        let request = self.store(table, "readonly")?.get_all(&keys(beginning)?);
        let values: Array = answered(request).await?.unchecked_into();
        Ok(values.to_vec())
    }

    /// Removes what has such a key.
    ///
    /// # Errors
    /// In the browser's words.
    pub async fn remove(&self, table: Table, beginning: &str) -> Result<(), String> {
        let request = self.store(table, "readwrite")?.delete(&keys(beginning)?);
        answered(request).await.map(drop)
    }

    /// Removes everything.
    ///
    /// # Errors
    /// In the browser's words.
    pub async fn clear(&self) -> Result<(), String> {
        for table in Table::ALL {
            let request = self.store(table, "readwrite")?.clear();
            answered(request).await?;
        }
        Ok(())
    }

    fn store(&self, table: Table, mode: &str) -> Result<Store, String> {
        let connection: &Connection = self.0.unchecked_ref();
        let transaction = connection.transaction(table.name(), mode);
        let store = transaction.and_then(|it| it.object_store(table.name()));
        store.map_err(|error| in_words(&error))
    }
}

/// All keys that begin so.
fn keys(beginning: &str) -> Result<JsValue, String> {
    let range = KeyRange::bound(beginning, &format!("{beginning}\u{ffff}"));
    range.map_err(|error| in_words(&error))
}

async fn answered(request: Result<Request, JsValue>) -> Result<JsValue, String> {
    answer(&request.map_err(|error| in_words(&error))?).await
}

async fn answer(request: &Request) -> Result<JsValue, String> {
    let promise = Promise::new(&mut |resolve, reject| {
        let (done, failed) = (request.clone(), request.clone());
        // Calls of these two cannot fail.
        let on_success = Closure::once_into_js(move || {
            let _ = resolve.call1(&JsValue::NULL, &done.result());
        });
        let on_error = Closure::once_into_js(move || {
            let _ = reject.call1(&JsValue::NULL, &failed.error());
        });
        request.set_onsuccess(on_success.unchecked_ref());
        request.set_onerror(on_error.unchecked_ref());
    });
    let answer = JsFuture::from(promise).await;
    answer.map_err(|error| in_words(&error))
}
