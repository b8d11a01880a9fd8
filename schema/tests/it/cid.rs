//! Content ids against those of code that is not ours.
//!
//! The vectors were made by `deploy/tests/cid/vectors.mjs` (ipfs-unixfs-importer 17.1.1) and some
//! by Kubo 0.44; byte `i` of every file in them is `i % 251`.

use std::sync::LazyLock;

use anyhow::Result;
use proptest::prelude::*;
use reelpin_schema::cid::{
    Block, CHUNK, Checksum, Cid, CidError, Codec, Directory, DirectoryError, File, FileBlocks,
    FileDag, dag_size,
};
use sha2::{Digest as _, Sha256};

const MIB: u64 = 1 << 20;

/// `(size, id, dag size)`.
const FILES: &[(u64, &str, u64)] = &[
    (0, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", 0),
    (1, "bafkreidogqfzz75tpkmjzjke425xqcrmpcib2p5tg44hnbirumdbpl5adu", 1),
    (1000, "bafkreicojquuwmy7piqjti3zx3buxh47ya64i2vumxmzr5gwqpnfgsd6nu", 1000),
    (MIB - 1, "bafkreielkxdkfu2eicjkgfuykayoada6n6dar2xzclejnxxhyn2niqhnce", 1_048_575),
    (MIB, "bafkreidddocae7lltzjlkooe5a3tmiwsgazn7logjvqk7bzttsidpzhxne", 1_048_576),
    (MIB + 1, "bafybeidjogjfwuhbzwopgd4bn3skcf5m6oz72xshywcndzxgqb623nfclu", 1_048_681),
    (3 * MIB, "bafybeihzpjrbcpjpzcx4yxh3hasnjidsikmwmsrli7hhamhny5iueulu5a", 3_145_887),
    (1024 * MIB - 1, "bafybeidctddzo6ku52gztm6pzlbrlwuar7u64x433hfsnzywwhni3ez4ge", 1_073_793_034),
    (1024 * MIB, "bafybeicwzrjcl3bf6vaai6cmvhdkgwnyezzlwmdqp3fnu33im55ssch6ve", 1_073_793_035),
    (1024 * MIB + 1, "bafybeicvbrlogmtthu7pz4o64c7yzm4v6dtshggbqsldxcm4fi2ftbxazu", 1_073_793_198),
    (1025 * MIB, "bafybeicevx54zowztjg75fexgkv5kprbdygw4tyxqjb37e7jkzgdceopcy", 1_074_841_783),
];

/// Gives the bytes of a file of this size, in pieces of up to 1 MiB.
fn content(size: u64, mut take: impl FnMut(&[u8])) {
    static PATTERN: LazyLock<Vec<u8>> =
        LazyLock::new(|| (0..CHUNK + 251).map(|i| (i % 251) as u8).collect());
    for at in (0..size).step_by(CHUNK) {
        let from = (at % 251) as usize;
        take(&PATTERN[from..from + (size - at).min(MIB) as usize]);
    }
}

fn file(size: u64) -> File {
    let mut dag = FileDag::new();
    content(size, |bytes| dag.push(bytes));
    dag.finish()
}

fn small(size: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    content(size, |piece| bytes.extend_from_slice(piece));
    bytes
}

#[test]
fn files_have_the_ids_that_ipfs_gives_them() {
    for &(size, cid, dag_size) in FILES {
        let made = file(size);
        assert_eq!(
            (made.cid.to_string().as_str(), made.size, made.dag_size),
            (cid, size, dag_size)
        );
    }
}

#[test]
fn weight_is_known_without_the_bytes() {
    for &(size, _, weight) in FILES {
        assert_eq!(dag_size(size), weight, "{size}");
    }
    assert!(dag_size(u64::MAX - 1) >= u64::MAX - 1);
}

#[test]
fn a_checksum_is_both_hashes() {
    for size in [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 5] {
        let bytes = small(size);
        let digest = Checksum::of(&bytes);
        let sha256 = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
        assert_eq!((digest.sha256_hex, digest.file), (sha256, file(size)));
    }
}

#[test]
fn blocks_make_up_the_file() {
    for size in [0, 1, MIB, MIB + 1, 3 * MIB] {
        let mut blocks = Vec::new();
        let mut dag = FileBlocks::new();
        content(size, |bytes| dag.push(bytes, |block| blocks.push(block)));
        let made = dag.finish(|block| blocks.push(block));

        assert_eq!(made, file(size));
        assert_eq!(blocks.last().map(Block::cid), Some(made.cid));
        assert_eq!(
            blocks.iter().map(|block| block.bytes().len() as u64).sum::<u64>(),
            made.dag_size
        );
        let raw = blocks.iter().filter(|block| block.cid().codec() == Codec::Raw);
        assert_eq!(raw.flat_map(|block| block.bytes().to_vec()).collect::<Vec<u8>>(), small(size));
        for block in &blocks {
            assert_eq!(Cid::of(block.cid().codec(), block.bytes()), block.cid());
        }
    }
}

#[test]
fn folders_have_the_ids_that_ipfs_gives_them() -> Result<()> {
    check_folder(
        &NESTED,
        "bafybeieujklbkaziqwtvyyqglgtrwtaolqn5ksf75qrzgx6mldu5y5ig2m",
        4_195_339,
    )?;
    check_folder::<&str>(&[], "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354", 4)
}

const NESTED: [(&str, u64); 9] = [
    ("master.m3u8", 20),
    ("master-abcdef.m3u8", 20),
    ("480p/index-abcdef.m3u8", 30),
    ("480p/00000-abcdef.m4s", MIB + 1),
    ("480p/00001-abcdef.m4s", 5),
    ("audio/en/00000-abcdef.m4s", 7),
    ("480p-abcdef.mp4", 3 * MIB),
    ("Zoë.jpg", 1),
    ("a b%20c", 2),
];

#[test]
fn large_folders_are_sharded_as_ipfs_does() -> Result<()> {
    let long = |i| (format!("{i:05}-{}.m4s", "abcdefghij".repeat(5)), 1);
    let names: Vec<_> = (0..5000).map(long).collect();
    check_folder(&names, "bafybeia6tvfxxn4o37a4rpgkrp3rlwm7m6dhtv6dyiujhowlxyn6g4b2yq", 571_365)?;

    let mut below: Vec<_> =
        names.iter().map(|(name, size)| (format!("480p/{name}"), *size)).collect();
    below.push(("master.m3u8".to_owned(), 20));
    check_folder(&below, "bafybeihms2kp35tfpfrgzx6uflvv3eljbanmujkcydoqab2ln4uaadzsu4", 571_494)
}

/// 4369 names of 16 characters and 1 byte make a block of 262,144 bytes.
#[test]
fn a_folder_is_sharded_from_the_first_byte_above_256_kib() -> Result<()> {
    let short = |i| (format!("{i:05}-abcdef.m4s"), 1);
    let mut names: Vec<_> = (0..4369).map(short).collect();
    check_folder(&names, "bafybeicmnttnnlelxsugdx4xz6ulv4zghch3qnm4tq7l4ammsginsb2fky", 266_513)?;
    names.push(short(4369));
    check_folder(&names, "bafybeif2oj3rvgcraud2qto3wvf2ws5qwmddw54u7dtulyffonjqdmlt34", 309_503)?;
    names.pop();
    names[0].0.insert(0, 'x');
    check_folder(&names, "bafybeigblkjni4t72q463hpuw46nf4n5huz6gqf2ebwxofnlernkom2yfq", 309_441)
}

#[track_caller]
fn check_folder<P: AsRef<str>>(entries: &[(P, u64)], cid: &str, dag_size: u64) -> Result<()> {
    let folder = Directory::build(entries.iter().map(|(path, size)| {
        let File { cid, dag_size, .. } = file(*size);
        (path, cid, dag_size)
    }))?;
    assert_eq!((folder.cid.to_string().as_str(), folder.dag_size), (cid, dag_size));
    assert_eq!(folder.blocks.last().map(Block::cid), Some(folder.cid));
    assert!(folder.blocks.iter().all(|block| block.bytes().len() <= 256 << 10));
    Ok(())
}

#[test]
fn names_that_no_folder_can_hold_are_refused() {
    let path = |path: &str| path.to_owned();
    for bad in ["", ".", "..", "a//b", "/a", "a/", "a/../b", "a/./b", "a\0b"] {
        assert_eq!(refusal(&[bad]), DirectoryError::BadName { path: path(bad) });
    }
    let (name, deep) = ("n".repeat(256), "d/".repeat(600) + "f");
    assert_eq!(refusal(&[&name]), DirectoryError::TooLong { path: name.clone() });
    assert_eq!(refusal(&[&deep]), DirectoryError::TooLong { path: deep.clone() });
    assert_eq!(refusal(&["a/b", "a/b"]), DirectoryError::Duplicate { path: path("a/b") });
    assert_eq!(refusal(&["a", "a/b"]), DirectoryError::FileAndFolder { path: path("a/b") });
    assert_eq!(refusal(&["a/b", "a"]), DirectoryError::FileAndFolder { path: path("a") });
}

#[track_caller]
fn refusal(paths: &[&str]) -> DirectoryError {
    let cid = Cid::of(Codec::Raw, b"");
    Directory::build(paths.iter().map(|path| (path, cid, 0))).expect_err("must be refused")
}

#[test]
fn an_id_is_one_text() -> Result<()> {
    let text = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    let cid: Cid = text.parse()?;
    assert_eq!(cid, Cid::of(Codec::Raw, b"hello world"));
    assert_eq!(serde_json::to_string(&cid)?, format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<Cid>(&format!("\"{text}\""))?, cid);
    assert!(serde_json::from_str::<Cid>("7").is_err());
    Ok(())
}

#[test]
fn other_ids_are_refused() {
    let parse = |text: &str| text.parse::<Cid>();
    assert_eq!(parse(""), Err(CidError::Multibase));
    assert_eq!(parse("Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD"), Err(CidError::Multibase));
    assert_eq!(parse("bé"), Err(CidError::Length { got: 3, want: 59 }));
    let good = Cid::of(Codec::DagPb, b"").to_string();
    assert_eq!(parse(&good.to_uppercase()), Err(CidError::Multibase));
    assert_eq!(parse(&good.replace("bafy", "bafY")), Err(CidError::Base32));
    // The last character has two bits to spare; they are zero.
    let last = good.replace(&good[58..], "b");
    assert_eq!(parse(&last), Err(CidError::Base32));

    let edited = |at: usize, byte: u8| {
        let mut bytes = Cid::of(Codec::Raw, b"").to_bytes();
        bytes[at] = byte;
        Cid::from_bytes(&bytes)
    };
    assert_eq!(edited(0, 2), Err(CidError::Version(2)));
    assert_eq!(edited(1, 0x71), Err(CidError::Codec(0x71)));
    assert_eq!(edited(2, 0x1b), Err(CidError::Hash(0x1b)));
    assert_eq!(edited(3, 16), Err(CidError::Hash(0x12)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_cut_gives_the_same_id(cuts in prop::collection::vec(0..1_500_000usize, 0..6)) {
        let bytes = small(cuts.iter().map(|cut| *cut as u64).sum());
        let (mut checksum, mut blocks) = (Checksum::new(), FileBlocks::new());
        let mut rest = bytes.as_slice();
        for cut in cuts {
            let (now, later) = rest.split_at(cut);
            checksum.push(now);
            blocks.push(now, |_| {});
            rest = later;
        }
        let digest = checksum.finish();
        prop_assert_eq!(&digest, &Checksum::of(&bytes));
        prop_assert_eq!(blocks.finish(|_| {}), digest.file);
        prop_assert_eq!(dag_size(bytes.len() as u64), digest.file.dag_size);
    }

    #[test]
    fn the_order_of_entries_does_not_matter(
        entries in Just(NESTED.to_vec()).prop_shuffle(),
        many in Just((0..4500).collect::<Vec<u32>>()).prop_shuffle(),
    ) {
        let folder = |paths: &mut dyn Iterator<Item = String>| {
            let cid = Cid::of(Codec::Raw, b"x");
            Directory::build(paths.map(|path| (path, cid, 1)))
        };
        let nested = folder(&mut entries.iter().map(|(path, _)| (*path).to_owned()));
        prop_assert_eq!(nested, folder(&mut NESTED.iter().map(|(path, _)| (*path).to_owned())));
        let sharded = folder(&mut many.iter().map(|i| format!("{i:05}-abcdef.m4s")));
        prop_assert_eq!(sharded, folder(&mut (0..4500).map(|i| format!("{i:05}-abcdef.m4s"))));
    }

    #[test]
    fn any_text_is_an_id_or_an_error(text in ".{0,70}") {
        if let Ok(cid) = text.parse::<Cid>() {
            prop_assert_eq!(cid.to_string(), text);
        }
    }

    #[test]
    fn ids_come_back_from_their_text(sha256 in any::<[u8; 32]>(), raw in any::<bool>()) {
        let cid = Cid::new(if raw { Codec::Raw } else { Codec::DagPb }, sha256);
        prop_assert_eq!(cid.to_string().parse(), Ok(cid));
        prop_assert_eq!(Cid::from_bytes(&cid.to_bytes()), Ok(cid));
    }
}
