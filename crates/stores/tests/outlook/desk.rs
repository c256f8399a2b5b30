//! A person at the stand-in who is told what to do, a line at a time: for stories told from outside its process.

use super::{local::Local, person::object};
use pim::FolderKind;
use std::{fs, path::PathBuf, rc::Rc};
use stores::{
    FolderId, FolderInfo,
    outlook::{Dispatch, Person, Variant},
};

/// Does what a line says, words parted by tabs; gives back what the person sees.
///
/// `see FOLDER`, `add KIND FOLDER FILE`, `set FOLDER WORDS PROPERTY TEXT` (the property's tag and type in hexadecimal digits) and
/// `delete FOLDER WORDS`, where words tell the item.
pub(crate) fn obey(outlook: &Local, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.trim_end_matches(['\r', '\n']).split('\t').collect();
    let item = |folder: &str, words: &str| -> Rc<dyn Dispatch> {
        let seen = outlook.model.lock().unwrap().seen(folder);
        let id = seen.into_iter().find(|(_, text)| text.contains(words)).expect("the item is there").0;
        let namespace = object(outlook.application().call("GetNamespace", &["MAPI".into()]).unwrap());
        object(namespace.call("GetItemFromID", &[Variant::Text(id)]).unwrap())
    };
    match words[..] {
        ["see", folder] => {
            return outlook.model.lock().unwrap().seen(folder).into_iter().map(|(_, text)| text).collect();
        }
        ["add", kind, folder, file] => {
            let kind = match kind {
                "contacts" => FolderKind::Contacts,
                "calendar" => FolderKind::Calendar,
                "tasks" => FolderKind::Tasks,
                "notes" => FolderKind::Notes,
                "mail" => FolderKind::Mail,
                other => panic!("{other:?} is no kind of folder"),
            };
            let id = outlook.model.lock().unwrap().folder_called(folder).expect("the folder is there");
            let info = FolderInfo {
                id: FolderId(id),
                kind,
                parent: None,
                name: folder.to_owned(),
                special_use: None,
                uid: None,
                marked_by: None,
            };
            let person = Person::new(outlook.application(), PathBuf::from(file).parent().unwrap().to_owned(), None);
            person.unwrap().adds(&info, &fs::read(file).unwrap()).unwrap();
        }
        ["set", folder, words, property, text] => {
            let item = item(folder, words);
            let name = Variant::Text(format!("http://schemas.microsoft.com/mapi/proptag/0x{property}"));
            let arguments = [Variant::List(vec![name]), Variant::List(vec![text.into()])];
            object(item.get("PropertyAccessor").unwrap()).call("SetProperties", &arguments).unwrap();
            item.call("Save", &[]).unwrap();
        }
        ["delete", folder, words] => drop(item(folder, words).call("Delete", &[]).unwrap()),
        _ => panic!("nobody understands {line:?}"),
    }
    Vec::new()
}
