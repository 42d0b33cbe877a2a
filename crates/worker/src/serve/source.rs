//! Where the runs are that are asked for.

use std::path::PathBuf;

use anyhow::Result;
use ckptscope_checkpoint::hub::HubAddress;
use ckptscope_protocol::service::RunSource;

use super::Server;
use crate::Misuse;
use crate::confined::Bounds;
use crate::hub::judged;
use crate::place::Address;

/// A run's place.
pub(super) struct Located {
    /// Where to read it.
    pub(super) address: Address,
    /// The same for people.
    pub(super) shown: String,
    /// What results call it.
    pub(super) name: String,
}

impl Server {
    /// Where a run is. Blocks.
    pub(super) fn locate(&self, source: &RunSource) -> Result<Located> {
        match source {
            RunSource::Root(id) => {
                let run = self.roots.run(id, &self.executor).ok_or_else(|| {
                    Misuse(
                        "that run is not under the folders of this worker (any more); \
                         put it back, or choose another"
                            .to_owned(),
                    )
                })?;
                let bounds = self.roots.bounds().clone();
                let address = Address::Within(PathBuf::from(&run.path), bounds);
                Ok(Located {
                    name: address.name(),
                    address,
                    shown: run.path,
                })
            }
            RunSource::Hub(text) => {
                let address = HubAddress::parse(text).map_err(|error| judged(&error))?;
                let address = Address::Hub(address);
                let shown = address.shown();
                let name = shown.clone();
                Ok(Located {
                    address,
                    shown,
                    name,
                })
            }
            RunSource::Upload(id) => {
                let upload = self.uploads.get(id);
                let upload = upload.ok_or_else(|| Misuse("there is no such upload".to_owned()))?;
                upload.check_complete(&self.data)?;
                let folder = self.data.upload(id).canonicalize()?;
                let bounds = Bounds::new([folder.clone()]);
                Ok(Located {
                    address: Address::Within(folder, bounds),
                    shown: upload.name.clone(),
                    name: upload.name.clone(),
                })
            }
        }
    }

    /// The folder of an analysis' results.
    pub(super) fn folder_of(&self, id: &str, folder: &str) -> PathBuf {
        self.data.analyses().join(id).join(folder)
    }
}
