//! The disk that forgets, seen from outside: what it kept takes the place of the folder.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// What the kernel writes at a time, and what a power loss can leave half done.
const PAGE: usize = 4096;

/// Chance with a seed (SplitMix64).
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Of a seed that is new in each run, or given by `SAMTALE_SEED`.
    pub fn of_this_run() -> Self {
        let given = std::env::var("SAMTALE_SEED").ok().map(|seed| seed.parse().unwrap());
        let seed = given.unwrap_or_else(|| std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0));
        println!("replay with SAMTALE_SEED={seed}");
        Self(seed)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end.max(1)
    }
}

/// What a power loss takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Everything that was not synced.
    Unsynced,
    /// Of the pages that were not synced some, and of names that were not synced all: what the kernel wrote out by
    /// itself stays, in no order.
    HalfOfUnsynced,
}

/// A folder on a disk that forgets.
pub struct ForgetfulDisk {
    folder: TempDir,
    library: PathBuf,
}

impl ForgetfulDisk {
    /// An empty one; `None`, said as a skip, where there is no C compiler.
    pub fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("disk.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/power_loss/disk.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .args(["-ldl", "-lpthread"])
            .status();
        match built {
            Ok(status) => assert!(status.success(), "disk.c does not build"),
            Err(error) => {
                assert!(
                    std::env::var("CI").as_deref() != Ok("true"),
                    "there is no C compiler (cc): {error}"
                );
                crate::rig::skip("storage, power loss: install a C compiler (cc)");
                return None;
            }
        }
        let disk = Self { folder, library };
        fs::create_dir(disk.root()).unwrap();
        disk.remember();
        Some(disk)
    }

    /// The folder whose unsynced content is lost.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// The command, over this disk.
    pub fn run(&self, mut command: Command) -> Command {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FORGETFUL_ROOT", self.root())
            .env("FORGETFUL_SHADOW", self.shadow())
            .env("FORGETFUL_FULL", self.full())
            .env("FORGETFUL_BROKEN", self.broken());
        command
    }

    /// From now on no write fits.
    pub fn fill(&self) {
        fs::write(self.full(), "").unwrap();
    }

    /// There is room again.
    pub fn empty(&self) {
        fs::remove_file(self.full()).unwrap();
    }

    /// From now on syncs fail.
    pub fn break_syncs(&self) {
        fs::write(self.broken(), "").unwrap();
    }

    /// Everything that is in the folder now is durable.
    pub fn remember(&self) {
        let shadow = self.shadow();
        if shadow.exists() {
            fs::remove_dir_all(&shadow).unwrap();
        }
        for part in ["inodes", "folders", "pins"] {
            fs::create_dir_all(shadow.join(part)).unwrap();
        }
        self.remember_folder(&self.root());
    }

    /// Puts what was durable in the place of the folder.
    pub fn lose_power(&self, loss: Loss, chance: &mut Chance) {
        let after = self.folder.path().join("after");
        fs::create_dir(&after).unwrap();
        self.rebuild(fs::metadata(self.root()).unwrap().ino(), &after, loss, chance);
        fs::remove_dir_all(self.root()).unwrap();
        fs::rename(&after, self.root()).unwrap();
    }

    fn remember_folder(&self, folder: &Path) {
        let mut list = String::new();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (inode, name) = (entry.metadata().unwrap().ino(), entry.file_name());
            let kind = if entry.file_type().unwrap().is_dir() {
                self.remember_folder(&entry.path());
                'd'
            } else {
                fs::copy(entry.path(), self.kept("inodes", inode)).unwrap();
                fs::hard_link(entry.path(), self.kept("pins", inode)).unwrap();
                'f'
            };
            list.push_str(&format!("{kind} {inode} {}\n", name.to_str().unwrap()));
        }
        fs::write(self.kept("folders", fs::metadata(folder).unwrap().ino()), list).unwrap();
    }

    fn rebuild(&self, inode: u64, target: &Path, loss: Loss, chance: &mut Chance) {
        // A folder whose name is durable and that was never synced itself is empty.
        let list = fs::read_to_string(self.kept("folders", inode)).unwrap_or_default();
        for line in list.lines().collect::<BTreeSet<_>>() {
            let [kind, inode, name] = line.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
            let (inode, target) = (inode.parse().unwrap(), target.join(name));
            if kind == "d" {
                fs::create_dir(&target).unwrap();
                self.rebuild(inode, &target, loss, chance);
                continue;
            }
            // So is a file whose content was never synced.
            let durable = self.kept("inodes", inode);
            if durable.exists() {
                fs::copy(&durable, &target).unwrap();
            } else {
                fs::write(&target, "").unwrap();
            }
            if loss == Loss::HalfOfUnsynced {
                tear(&self.kept("pins", inode), &target, chance);
            }
        }
    }

    fn kept(&self, part: &str, inode: u64) -> PathBuf {
        self.shadow().join(part).join(inode.to_string())
    }

    fn shadow(&self) -> PathBuf {
        self.folder.path().join("shadow")
    }

    fn full(&self) -> PathBuf {
        self.folder.path().join("full")
    }

    fn broken(&self) -> PathBuf {
        self.folder.path().join("broken")
    }
}

/// Puts some of the pages into the file in which the real one differs.
fn tear(real: &Path, target: &Path, chance: &mut Chance) {
    let Ok(real) = fs::read(real) else { return };
    let durable = fs::read(target).unwrap();
    let file = fs::OpenOptions::new().write(true).open(target).unwrap();
    for (number, page) in real.chunks(PAGE).enumerate() {
        let from = number * PAGE;
        if durable.get(from..from + page.len()) != Some(page) && chance.below(2) == 0 {
            file.write_all_at(page, u64::try_from(from).unwrap()).unwrap();
        }
    }
}
