//! Data on this computer: finding it, looking at it, bringing loose files in.

use super::{
    Host, blocking,
    desktop::FileKind,
    types::{
        DataFile, DataFileFolder, DataSource, ImportAnswer, KindCount, SourceFolder, SourceRequest, SourceState,
        SourcesRequest,
    },
};
use crate::{
    api::types::Nothing,
    engine::view::kind_name,
    language::Language,
    located::Located,
    message::{Code, Problem, Result},
    places::{self, Destination, Found},
    settings::StoreSpec,
};
use pim::{FolderKind, SpecialUse};
use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};
use stores::{
    ProgramState, StoreError,
    files::{self, Surveyed},
};

/// A data source with what the window isn't told.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) view: DataSource,
    /// How to name it as a store, or as several; none if it can't be one as it is.
    pub(super) stores: Vec<String>,
    /// Loose files to bring in first.
    loose: Vec<PathBuf>,
}

/// Problems of one file the window lists.
const REFUSED_MAX: usize = 20;

impl Host {
    pub(super) async fn data_sources(&self, _: Nothing) -> Result<Vec<DataSource>> {
        let language = self.language();
        let found = blocking(move || {
            let sources = places::usual().into_iter().map(|place| look_at(&place.path, language));
            let programs = look_at_evolution(language).into_iter().chain(look_at_outlook(language));
            sources.chain(programs.map(Ok)).collect::<Result<Vec<_>>>()
        })
        .await?;
        let mut views: Vec<DataSource> = found.into_iter().map(|source| self.keep_source(source)).collect();
        views.sort_by_key(|view| std::cmp::Reverse(view.items));
        Ok(views)
    }

    pub(super) async fn choose_folder(&self, _: Nothing) -> Result<Option<DataSource>> {
        let title = self.word("window-choose-folder");
        let Some(path) = self.desktop().choose_folder(title).await else { return Ok(None) };
        self.look_at_folder(path).await.map(Some)
    }

    pub(super) async fn new_folder(&self, _: Nothing) -> Result<DataSource> {
        self.look_at_folder(default_folder()?).await
    }

    pub(super) async fn join_sources(&self, request: SourcesRequest) -> Result<DataSource> {
        let sources = request.sources.iter().map(|id| self.source(id)).collect::<Result<Vec<_>>>()?;
        if let Some(loose) = sources.iter().find(|source| source.stores.is_empty()) {
            let place = loose.view.path.clone().unwrap_or_default();
            return Err(Problem::new(Code::ImportFirst).with("place", place).with("found", loose.view.items));
        }
        let stores: Vec<String> = sources.iter().flat_map(|source| source.stores.clone()).collect();
        let named = stores.clone();
        // Two that show the same are refused here, where they can still be chosen otherwise.
        blocking(move || locate(&named).map(drop)).await?;
        let is_new = sources.iter().all(|source| source.view.state == SourceState::New);
        let kinds = FolderKind::ALL.into_iter().filter_map(|kind| {
            let name = kind_name(kind);
            let of_kind = sources.iter().flat_map(|source| source.view.kinds.iter().filter(|one| one.kind == name));
            let (folders, items) = of_kind.fold((0, 0), |sum, one| (sum.0 + one.folders, sum.1 + one.items));
            (folders > 0).then(|| KindCount { kind: name.to_owned(), folders, items })
        });
        let view = DataSource {
            id: String::new(),
            program: "several".to_owned(),
            name: sources.iter().map(|source| source.view.name.as_str()).collect::<Vec<_>>().join(" + "),
            path: None,
            state: if is_new { SourceState::New } else { SourceState::Ready },
            items: sources.iter().map(|source| source.view.items).sum(),
            kinds: kinds.collect(),
            is_mail_on_server: sources.iter().any(|source| source.view.is_mail_on_server),
            problem: None,
        };
        Ok(self.keep_source(Source { view, stores, loose: Vec::new() }))
    }

    pub(super) async fn source_folders(&self, request: SourceRequest) -> Result<Vec<SourceFolder>> {
        let source = self.source(&request.source)?;
        let language = self.language();
        blocking(move || {
            if source.stores.is_empty() {
                return Ok(Vec::new());
            }
            let surveyed = survey(&source.stores)?;
            let views = surveyed.iter().map(|one| {
                let (count, problem) = match &one.count {
                    Ok(count) => (*count, None),
                    Err(error) => {
                        let problem = Problem::with_store(error.clone(), &one.folder.name);
                        (files::Count::default(), Some(problem.view(language)))
                    }
                };
                SourceFolder {
                    path: path_of(&surveyed, one),
                    kind: kind_name(one.folder.kind).to_owned(),
                    name: one.folder.name.clone(),
                    special: one.folder.special_use.map(|special| special_name(special).to_owned()),
                    items: count.items,
                    bytes: count.bytes,
                    problem,
                }
            });
            let mut views: Vec<SourceFolder> = views.collect();
            views.sort_by(|a, b| (kind_order(&a.kind), &a.path).cmp(&(kind_order(&b.kind), &b.path)));
            Ok(views)
        })
        .await
    }

    pub(super) async fn import_source(&self, request: SourceRequest) -> Result<ImportAnswer> {
        let source = self.source(&request.source)?;
        let language = self.language();
        let (done, target) = blocking(move || {
            let from = source.view.path.as_deref().map(PathBuf::from).unwrap_or_default();
            let target = beside(&from);
            let into = Destination { stores: vec![format!("files:{}", target.display())], folder: None };
            let done = places::import(&into, &source.loose, false, |_, _| {})?;
            Ok((done, target))
        })
        .await?;
        let source = self.look_at_folder(target).await?;
        Ok(ImportAnswer {
            source,
            added: done.added,
            present: done.present,
            refused: done.refused.into_iter().map(|(_, problem)| problem.view(language)).collect(),
        })
    }

    pub(super) async fn choose_data_file(&self, request: SourceRequest) -> Result<Option<DataFile>> {
        let source = self.source(&request.source)?;
        let kind = FileKind {
            name: self.word("window-data-files"),
            extensions: vec!["pst", "msg", "mbox", "mbx", "eml", "vcf", "ics"],
        };
        let title = self.word("window-choose-data-file");
        let Some(file) = self.desktop().choose_file(title, kind).await else { return Ok(None) };
        let answer = self.bring_in(source, file.clone(), true).await?;
        self.lock().data_file = Some(file);
        Ok(Some(answer))
    }

    pub(super) async fn import_data_file(&self, request: SourceRequest) -> Result<DataFile> {
        let source = self.source(&request.source)?;
        let chosen = self.lock().data_file.clone();
        let nothing = || Problem::new(Code::NotUnderstood).with("reason", "no data file is chosen");
        let file = chosen.ok_or_else(nothing)?;
        let answer = self.bring_in(source, file, false).await?;
        // Kept until it is in: what was interrupted can be tried again.
        self.lock().data_file = None;
        Ok(answer)
    }

    async fn bring_in(&self, source: Source, file: PathBuf, is_preview: bool) -> Result<DataFile> {
        let language = self.language();
        let (done, file) = blocking(move || {
            if source.stores.is_empty() {
                return Err(Problem::new(Code::StoreUnknown).with("spec", &*source.view.name));
            }
            let into = Destination { stores: source.stores, folder: None };
            let done = places::import(&into, std::slice::from_ref(&file), is_preview, |_, _| {})?;
            let source = source.view.path.map(|path| look_at(Path::new(&path), language)).transpose()?;
            Ok((done, (file, source)))
        })
        .await?;
        let (file, source) = file;
        Ok(DataFile {
            name: file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned(),
            source: source.map(|source| self.keep_source(source)),
            folders: done.folders.iter().map(DataFileFolder::from).collect(),
            added: done.added,
            present: done.present,
            left_out: done.left_out,
            has_password: done.has_password,
            refused_count: done.refused_count,
            refused: done.refused.iter().take(REFUSED_MAX).map(|(_, problem)| problem.view(language)).collect(),
        })
    }

    async fn look_at_folder(&self, path: PathBuf) -> Result<DataSource> {
        let language = self.language();
        let source = blocking(move || look_at(&path, language)).await?;
        Ok(self.keep_source(source))
    }
}

/// Where new data goes if nobody says otherwise.
fn default_folder() -> Result<PathBuf> {
    env::home_dir()
        .map(|home| home.join("Tandem"))
        .ok_or_else(|| Problem::new(Code::ProfileUnusable).with("folder", "~").because("there is no home folder"))
}

/// A folder that isn't there yet, beside the one with the loose files.
fn beside(folder: &Path) -> PathBuf {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut tried = (1_u32..).map(|number| match number {
        1 => folder.with_file_name(format!("{name} (Tandem)")),
        number => folder.with_file_name(format!("{name} (Tandem {number})")),
    });
    tried.find(|path| !path.exists()).expect("one of endlessly many names is free")
}

fn look_at(path: &Path, language: Language) -> Result<Source> {
    let place = places::look(path)?;
    let (state, problem) = match &place.found {
        Found::Missing | Found::Empty => (SourceState::New, None),
        Found::Layout { .. } | Found::Part { .. } => (SourceState::Ready, None),
        Found::Importable { items, .. } => {
            let problem = Problem::new(Code::ImportFirst).with("place", path).with("found", *items);
            (SourceState::Importable, Some(problem.view(language)))
        }
        Found::Other { examples, .. } => {
            let problem = Problem::new(Code::NothingKnownThere).with("place", path).with("found", examples.join(", "));
            (SourceState::Unusable, Some(problem.view(language)))
        }
    };
    let stores: Vec<String> = place.store.into_iter().collect();
    let is_ready = state == SourceState::Ready && !stores.is_empty();
    let kinds = if is_ready { counted(survey(&stores)?) } else { Vec::new() };
    let (loose, loose_items) = match place.found {
        Found::Importable { files, items } => (files, items),
        _ => (Vec::new(), 0),
    };
    let view = DataSource {
        id: String::new(),
        program: "folder".to_owned(),
        name: place.path.file_name().unwrap_or(place.path.as_os_str()).to_string_lossy().into_owned(),
        path: Some(place.path.display().to_string()),
        state,
        items: loose_items + kinds.iter().map(|kind| kind.items).sum::<u64>(),
        kinds,
        is_mail_on_server: false,
        problem,
    };
    Ok(Source { view, stores, loose })
}

/// Evolution Data Server as a data source, if anybody uses it here.
fn look_at_evolution(language: Language) -> Option<Source> {
    let surveyed = places::survey_evolution("")?;
    let (program, name, store) = ("evolution", "Evolution".to_owned(), places::EVOLUTION.to_owned());
    Some(of_program(program, name, store, surveyed, language))
}

/// The stores in the Outlook of this computer as data sources. Where there is no Outlook at all, nothing is said of it.
fn look_at_outlook(language: Language) -> Vec<Source> {
    let (names, profile, trouble) = match places::look_at_outlook() {
        None | Some(Err(StoreError::Program { state: ProgramState::Missing, .. })) => return Vec::new(),
        Some(Ok(found)) => (found.stores, found.profile, None),
        Some(Err(error)) => (vec![String::new()], String::new(), Some(error)),
    };
    let source = |(at, name): (usize, String)| {
        // The default store goes by no name: it stays the default one if somebody renames it.
        let place = if at == 0 { String::new() } else { name.clone() };
        let surveyed = trouble.clone().map_or_else(|| places::survey_outlook(&place), Err);
        let store = format!("{}{place}", places::OUTLOOK);
        let name = if name.is_empty() { "Outlook".to_owned() } else { format!("Outlook: {name} ({profile})") };
        of_program("outlook", name, store, surveyed, language)
    };
    names.into_iter().enumerate().map(source).collect()
}

/// A program that keeps data in its own way, as a data source.
fn of_program(
    program: &str,
    name: String,
    store: String,
    surveyed: std::result::Result<Vec<Surveyed>, StoreError>,
    language: Language,
) -> Source {
    let (state, kinds, problem) = match surveyed {
        Ok(surveyed) => (SourceState::Ready, counted(surveyed), None),
        Err(error) => (SourceState::Unusable, Vec::new(), Some(Problem::with_store(error, &store).view(language))),
    };
    let view = DataSource {
        id: String::new(),
        program: program.to_owned(),
        name,
        path: None,
        state,
        items: kinds.iter().map(|kind| kind.items).sum(),
        kinds,
        is_mail_on_server: false,
        problem,
    };
    Source { view, stores: vec![store], loose: Vec::new() }
}

/// How much there is of each kind, in the order people see them.
fn counted(surveyed: Vec<Surveyed>) -> Vec<KindCount> {
    let mut kinds: BTreeMap<usize, KindCount> = BTreeMap::new();
    for one in surveyed {
        let order = FolderKind::ALL.iter().position(|kind| *kind == one.folder.kind).unwrap_or(FolderKind::ALL.len());
        let kind = kinds.entry(order).or_insert_with(|| KindCount {
            kind: kind_name(one.folder.kind).to_owned(),
            folders: 0,
            items: 0,
        });
        kind.folders += 1;
        kind.items += one.count.map(|count| count.items).unwrap_or_default();
    }
    kinds.into_values().collect()
}

fn survey(stores: &[String]) -> Result<Vec<Surveyed>> {
    locate(stores)?.survey()
}

/// Stores to be looked at: nothing is written, so nothing has to wait anywhere.
fn locate(stores: &[String]) -> Result<Located> {
    let read = |store: &String| store.parse().map_err(|_| Problem::new(Code::StoreUnknown).with("spec", &**store));
    let specs: Vec<StoreSpec> = stores.iter().map(read).collect::<Result<_>>()?;
    Located::find(&specs, Path::new(""))
}

fn path_of(all: &[Surveyed], one: &Surveyed) -> String {
    let mut names = vec![one.folder.name.clone()];
    let mut parent = one.folder.parent.clone();
    while let Some(id) = parent {
        let Some(folder) = all.iter().find(|other| other.folder.id == id) else { break };
        names.push(folder.folder.name.clone());
        parent = folder.folder.parent.clone();
    }
    names.push(kind_name(one.folder.kind).to_owned());
    names.reverse();
    names.join("/")
}

fn kind_order(kind: &str) -> usize {
    FolderKind::ALL.iter().position(|known| kind_name(*known) == kind).unwrap_or(FolderKind::ALL.len())
}

const fn special_name(special: SpecialUse) -> &'static str {
    match special {
        SpecialUse::Inbox => "inbox",
        SpecialUse::Sent => "sent",
        SpecialUse::Drafts => "drafts",
        SpecialUse::Trash => "trash",
        SpecialUse::Junk => "junk",
        SpecialUse::Archive => "archive",
    }
}
