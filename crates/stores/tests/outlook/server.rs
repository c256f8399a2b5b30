//! The stand-in behind COM: each object answers `IDispatch` by name, `Items` tell their events.

#![allow(unsafe_code)]

use super::{
    desk::obey,
    local::Local,
    model::{Manner, Model, Node, Shared, Val, Verb},
};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    mem::ManuallyDrop,
    ptr,
    sync::{Arc, Mutex},
    thread,
};
use windows::{
    Win32::{
        Foundation::VARIANT_BOOL,
        System::{
            Com::*,
            Ole::{
                ACTIVEOBJECT_STRONG, DISPID_PROPERTYPUT, RegisterActiveObject, SafeArrayCreate, SafeArrayCreateVector,
                SafeArrayGetElement, SafeArrayGetUBound, SafeArrayGetVartype, SafeArrayPutElement,
            },
            Threading::GetCurrentThreadId,
            Variant::*,
        },
        UI::WindowsAndMessaging::{
            DispatchMessageW, GetMessageW, MSG, PostThreadMessageW, TranslateMessage, WM_APP, WM_QUIT,
        },
    },
    core::{BSTR, Error, GUID, HRESULT, IUnknown, Interface, PCWSTR, Ref, Result, implement, interface},
};

/// Outlook's own class: `CLSID` of `Outlook.Application`.
const CLASS: GUID = GUID::from_u128(0x0006_F03A_0000_0000_C000_0000_0000_0046);
const ITEM_CHANGE: i32 = 0xF002;
const MISMATCH: u32 = 0x8002_0005;

#[interface("00063077-0000-0000-C000-000000000046")]
unsafe trait ItemsEvents: IDispatch {}

struct Sink {
    cookie: u32,
    folder: String,
    target: IDispatch,
}

thread_local! {
    static MODEL: Shared = Model::new(Manner::default());
    static SINKS: RefCell<Vec<Sink>> = const { RefCell::new(Vec::new()) };
    /// Members by number, as they were asked for.
    static NAMES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

#[implement(IDispatch, IConnectionPointContainer, IConnectionPoint)]
struct Object(Node);

/// How an object given back as an argument is told: by asking it.
const WHO: &str = "TestWho";

fn fault(code: u32) -> Error {
    Error::from_hresult(HRESULT(code.cast_signed()))
}

fn invoke(node: &Node, name: &str, verb: Verb, given: &[Val]) -> std::result::Result<Val, u32> {
    if name == WHO {
        return Ok(Val::Text(match node {
            Node::Folder(id) => id.clone(),
            _ => String::new(),
        }));
    }
    let (outcome, changed) = MODEL.with(|model| {
        let mut model = model.lock().unwrap();
        let outcome = model.invoke(node, name, verb, given);
        (outcome, std::mem::take(&mut model.changed))
    });
    tell(&changed);
    outcome
}

/// Tells who listens to these folders. Who can't be told has ended, and isn't asked again: under Wine, a second call would
/// wait for ever.
fn tell(changed: &BTreeSet<String>) {
    let listening: Vec<(u32, IDispatch)> = SINKS.with(|sinks| {
        let sinks = sinks.borrow();
        let to_tell = sinks.iter().filter(|sink| changed.contains(&sink.folder));
        to_tell.map(|sink| (sink.cookie, sink.target.clone())).collect()
    });
    for (cookie, target) in listening {
        let none = DISPPARAMS::default();
        let told =
            unsafe { target.Invoke(ITEM_CHANGE, &GUID::zeroed(), 0x409, DISPATCH_METHOD, &none, None, None, None) };
        if told.is_err() {
            forget(cookie);
        }
    }
}

/// Takes a sink off the list, then lets it go: other calls come in while that is told to its owner.
fn forget(cookie: u32) {
    let gone = SINKS.with(|sinks| {
        let mut sinks = sinks.borrow_mut();
        let at = sinks.iter().position(|sink| sink.cookie == cookie);
        at.map(|at| sinks.remove(at))
    });
    drop(gone);
}

/// Folders that the person at the desk changed.
static CHANGED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

impl IDispatch_Impl for Object_Impl {
    fn GetTypeInfoCount(&self) -> Result<u32> {
        Ok(0)
    }

    fn GetTypeInfo(&self, _: u32, _: u32) -> Result<ITypeInfo> {
        Err(fault(0x8000_4001))
    }

    fn GetIDsOfNames(&self, _: *const GUID, names: *const PCWSTR, count: u32, _: u32, ids: *mut i32) -> Result<()> {
        if count != 1 {
            return Err(fault(0x8002_0006));
        }
        let name = unsafe { (*names).to_string() }.map_err(|_| fault(0x8002_0006))?;
        let at = NAMES.with(|known| {
            let mut known = known.borrow_mut();
            known.iter().position(|other| *other == name).unwrap_or_else(|| {
                known.push(name);
                known.len() - 1
            })
        });
        unsafe { *ids = i32::try_from(at).unwrap() + 1 };
        Ok(())
    }

    fn Invoke(
        &self,
        id: i32,
        _: *const GUID,
        _: u32,
        flags: DISPATCH_FLAGS,
        parameters: *const DISPPARAMS,
        result: *mut VARIANT,
        exception: *mut EXCEPINFO,
        _: *mut u32,
    ) -> Result<()> {
        let at = usize::try_from(id - 1).map_err(|_| fault(0x8002_0003))?;
        let name = NAMES.with(|known| known.borrow().get(at).cloned()).ok_or_else(|| fault(0x8002_0003))?;
        let given = unsafe {
            let parameters = &*parameters;
            match parameters.cArgs {
                0 => Vec::new(),
                count => std::slice::from_raw_parts(parameters.rgvarg, count as usize).iter().rev().map(take).collect(),
            }
        };
        let verb = if flags.0 & DISPATCH_PROPERTYPUT.0 != 0 {
            Verb::Put
        } else if given.is_empty() && flags.0 & DISPATCH_METHOD.0 == 0 {
            Verb::Get
        } else {
            Verb::Call
        };
        match invoke(&self.0, &name, verb, &given) {
            Ok(value) => {
                if !result.is_null() {
                    unsafe { result.write(give(value)) };
                }
                Ok(())
            }
            // Outlook's own codes come as exceptions, those of the system as they are.
            Err(code) if code & 0xFFFF_0000 == 0x8004_0000 && !exception.is_null() => {
                let exception = unsafe { &mut *exception };
                exception.scode = code.cast_signed();
                exception.bstrDescription = ManuallyDrop::new(BSTR::from("The attempted operation failed."));
                exception.bstrSource = ManuallyDrop::new(BSTR::from("Microsoft Outlook"));
                Err(fault(0x8002_0009))
            }
            Err(code) => Err(fault(code)),
        }
    }
}

impl IConnectionPointContainer_Impl for Object_Impl {
    fn EnumConnectionPoints(&self) -> Result<IEnumConnectionPoints> {
        Err(fault(0x8000_4001))
    }

    fn FindConnectionPoint(&self, wanted: *const GUID) -> Result<IConnectionPoint> {
        if unsafe { *wanted } == ItemsEvents::IID && matches!(self.0, Node::Items(_)) {
            Ok(Object(self.0.clone()).into())
        } else {
            Err(fault(0x8004_0200))
        }
    }
}

impl IConnectionPoint_Impl for Object_Impl {
    fn GetConnectionInterface(&self) -> Result<GUID> {
        Ok(ItemsEvents::IID)
    }

    fn GetConnectionPointContainer(&self) -> Result<IConnectionPointContainer> {
        Err(fault(0x8000_4001))
    }

    /// Like Outlook, it asks the sink for the interface of the events itself, and takes what it has else.
    fn Advise(&self, sink: Ref<IUnknown>) -> Result<u32> {
        let sink = sink.ok()?;
        let target: IDispatch = sink.cast::<ItemsEvents>().and_then(|sink| sink.cast()).or_else(|_| sink.cast())?;
        let Node::Items(folder) = &self.0 else { return Err(fault(0x8004_0200)) };
        Ok(SINKS.with(|sinks| {
            let mut sinks = sinks.borrow_mut();
            let cookie = sinks.iter().map(|sink| sink.cookie).max().unwrap_or_default() + 1;
            sinks.push(Sink { cookie, folder: folder.clone(), target });
            cookie
        }))
    }

    fn Unadvise(&self, cookie: u32) -> Result<()> {
        forget(cookie);
        Ok(())
    }

    fn EnumConnections(&self) -> Result<IEnumConnections> {
        Err(fault(0x8000_4001))
    }
}

fn made(kind: VARENUM, fill: impl FnOnce(&mut VARIANT_0_0)) -> VARIANT {
    let mut value = VARIANT::default();
    let inner = unsafe { &mut *value.Anonymous.Anonymous };
    inner.vt = kind;
    fill(inner);
    value
}

fn give(value: Val) -> VARIANT {
    match value {
        Val::Empty => VARIANT::default(),
        Val::Bool(is) => made(VT_BOOL, |inner| inner.Anonymous.boolVal = VARIANT_BOOL::from(is)),
        Val::I16(number) => made(VT_I2, |inner| inner.Anonymous.iVal = number),
        Val::I32(number) => made(VT_I4, |inner| inner.Anonymous.lVal = number),
        Val::Date(date) => made(VT_DATE, |inner| inner.Anonymous.date = date),
        Val::Error(code) => made(VT_ERROR, |inner| inner.Anonymous.scode = code.cast_signed()),
        Val::Text(text) => {
            made(VT_BSTR, |inner| inner.Anonymous.bstrVal = ManuallyDrop::new(BSTR::from(text.as_str())))
        }
        Val::Object(node) => {
            let object: IDispatch = Object(node).into();
            made(VT_DISPATCH, |inner| inner.Anonymous.pdispVal = ManuallyDrop::new(Some(object)))
        }
        Val::Bytes(bytes) => unsafe {
            let array = SafeArrayCreateVector(VT_UI1, 0, bytes.len() as u32);
            for (at, byte) in (0..).zip(&bytes) {
                SafeArrayPutElement(array, &at, ptr::from_ref(byte).cast()).unwrap();
            }
            made(VARENUM(VT_ARRAY.0 | VT_UI1.0), |inner| inner.Anonymous.parray = array)
        },
        Val::List(values) => unsafe {
            let array = SafeArrayCreateVector(VT_VARIANT, 0, values.len() as u32);
            for (at, value) in (0..).zip(values) {
                SafeArrayPutElement(array, &at, ptr::from_ref(&give(value)).cast()).unwrap();
            }
            made(VARENUM(VT_ARRAY.0 | VT_VARIANT.0), |inner| inner.Anonymous.parray = array)
        },
        Val::Rows(rows) => unsafe {
            let bound = |count: usize| SAFEARRAYBOUND { cElements: count as u32, lLbound: 0 };
            let bounds = [bound(rows.len()), bound(rows.first().map_or(0, Vec::len))];
            let array = SafeArrayCreate(VT_VARIANT, 2, bounds.as_ptr());
            for (row, values) in (0_i32..).zip(rows) {
                for (column, value) in (0_i32..).zip(values) {
                    let at = [row, column];
                    SafeArrayPutElement(array, at.as_ptr(), ptr::from_ref(&give(value)).cast()).unwrap();
                }
            }
            made(VARENUM(VT_ARRAY.0 | VT_VARIANT.0), |inner| inner.Anonymous.parray = array)
        },
    }
}

fn take(value: &VARIANT) -> Val {
    unsafe {
        let inner = &value.Anonymous.Anonymous;
        let by = &inner.Anonymous;
        match inner.vt {
            VT_BOOL => Val::Bool(by.boolVal.as_bool()),
            VT_I2 => Val::I16(by.iVal),
            VT_I4 => Val::I32(by.lVal),
            VT_DATE => Val::Date(by.date),
            VT_BSTR => Val::Text(by.bstrVal.to_string()),
            VT_DISPATCH => by.pdispVal.as_ref().map_or(Val::Empty, who),
            kind if kind.0 == VT_ARRAY.0 | VT_UI1.0 || kind.0 == VT_ARRAY.0 | VT_VARIANT.0 => {
                let last = SafeArrayGetUBound(by.parray, 1).unwrap_or(-1);
                if SafeArrayGetVartype(by.parray) == Ok(VT_UI1) {
                    let byte = |at: i32| {
                        let mut byte = 0_u8;
                        SafeArrayGetElement(by.parray, &at, ptr::from_mut(&mut byte).cast()).unwrap();
                        byte
                    };
                    return Val::Bytes((0..=last).map(byte).collect());
                }
                let element = |at: i32| {
                    let mut value = VARIANT::default();
                    SafeArrayGetElement(by.parray, &at, ptr::from_mut(&mut value).cast()).unwrap();
                    take(&value)
                };
                Val::List((0..=last).map(element).collect())
            }
            _ => Val::Empty,
        }
    }
}

/// Which folder an argument is.
fn who(object: &IDispatch) -> Val {
    let name: Vec<u16> = WHO.encode_utf16().chain([0]).collect();
    let (mut id, mut result, none) = (0, VARIANT::default(), DISPPARAMS::default());
    let asked = unsafe {
        object.GetIDsOfNames(&GUID::zeroed(), &PCWSTR(name.as_ptr()), 1, 0x409, &mut id).and_then(|()| {
            object.Invoke(id, &GUID::zeroed(), 0x409, DISPATCH_METHOD, &none, Some(&mut result), None, None)
        })
    };
    match (asked, take(&result)) {
        (Ok(()), Val::Text(folder)) => Val::Object(Node::Folder(folder)),
        _ => Val::Error(MISMATCH),
    }
}

#[implement(IClassFactory)]
struct Factory;

impl IClassFactory_Impl for Factory_Impl {
    fn CreateInstance(&self, _: Ref<IUnknown>, wanted: *const GUID, made: *mut *mut core::ffi::c_void) -> Result<()> {
        let application: IDispatch = Object(Node::Application).into();
        unsafe { application.query(wanted, made).ok() }
    }

    fn LockServer(&self, _: windows::core::BOOL) -> Result<()> {
        Ok(())
    }
}

pub(crate) fn run() -> Result<()> {
    let _ = DISPID_PROPERTYPUT;
    // Whoever waits for an answer must not wait for ever.
    let said = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        said(info);
        std::process::exit(1);
    }));
    unsafe {
        CoInitializeEx(None, COINIT_APARTMENTTHREADED).ok()?;
        let factory: IClassFactory = Factory.into();
        let class = CoRegisterClassObject(&CLASS, &factory, CLSCTX_LOCAL_SERVER, REGCLS_MULTIPLEUSE)?;
        let application: IUnknown = IDispatch::from(Object(Node::Application)).cast()?;
        let mut active = 0;
        RegisterActiveObject(&application, &CLASS, ACTIVEOBJECT_STRONG, &mut active)?;
        let thread = GetCurrentThreadId();
        let heard = move |changed: &BTreeSet<String>| {
            CHANGED.lock().unwrap().extend(changed.iter().cloned());
            let _ = PostThreadMessageW(thread, WM_APP, Default::default(), Default::default());
        };
        let outlook = Local::of(MODEL.with(Arc::clone), Arc::new(heard));
        thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(std::result::Result::ok) {
                obey(&outlook, &line).iter().for_each(|seen| println!("{seen}"));
                println!(".");
            }
            let _ = PostThreadMessageW(thread, WM_QUIT, Default::default(), Default::default());
        });
        println!("ready");
        let mut message = MSG::default();
        while GetMessageW(&mut message, None, 0, 0).as_bool() {
            if message.message == WM_APP {
                tell(&std::mem::take(&mut *CHANGED.lock().unwrap()));
            }
            let _ = TranslateMessage(&message);
            DispatchMessageW(&message);
        }
        CoRevokeClassObject(class)
    }
}
