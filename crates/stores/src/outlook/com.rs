//! COM: the door to the Outlook that is running, on Windows.
//!
//! `VARIANT`s are made and read field by field: that is all we need of them, and the conversions of the `windows`
//! crate go through a library not every system has.
#![allow(unsafe_code)] // COM can't be had without. Each call below is one to the system or to a proxy it gave us.

use super::dispatch::{Dispatch, Door, Doors, Fault, NewOutlook, Variant, Wake, code};
use crate::mapi::Zone;
use std::{any::Any, mem::ManuallyDrop, path::PathBuf, ptr, rc::Rc, sync::Arc, time::Duration};
use windows::{
    Win32::{
        Foundation::{CloseHandle, HANDLE, VARIANT_BOOL},
        System::{
            Com::{
                CLSCTX_LOCAL_SERVER, CLSIDFromProgID, COINIT_APARTMENTTHREADED, CoCreateInstance, CoInitializeEx,
                DISPATCH_FLAGS, DISPATCH_METHOD, DISPATCH_PROPERTYGET, DISPATCH_PROPERTYPUT, DISPPARAMS, EXCEPINFO,
                IConnectionPoint, IConnectionPointContainer, IDispatch, IDispatch_Impl, IDispatch_Vtbl, ITypeInfo,
                SAFEARRAY, SAFEARRAYBOUND,
            },
            Diagnostics::ToolHelp::{
                CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
            },
            Ole::{
                DISPID_PROPERTYPUT, GetActiveObject, SafeArrayCreate, SafeArrayCreateVector, SafeArrayGetDim,
                SafeArrayGetElement, SafeArrayGetLBound, SafeArrayGetUBound, SafeArrayGetVartype, SafeArrayPutElement,
            },
            Threading::{CreateEventW, SetEvent},
            Time::{GetTimeZoneInformation, TIME_ZONE_INFORMATION},
            Variant::{
                VARENUM, VARIANT, VT_ARRAY, VT_BOOL, VT_BSTR, VT_BYREF, VT_DATE, VT_DISPATCH, VT_ERROR, VT_I2, VT_I4,
                VT_R4, VT_R8, VT_UI1, VT_UNKNOWN, VT_VARIANT,
            },
        },
        UI::WindowsAndMessaging::{
            DispatchMessageW, MSG, MWMO_INPUTAVAILABLE, MsgWaitForMultipleObjectsEx, PM_REMOVE, PeekMessageW,
            QS_ALLINPUT, TranslateMessage,
        },
    },
    core::{BSTR, Error, GUID, HRESULT, HSTRING, IUnknown, Interface, PCWSTR, implement, interface, w},
};

/// The program of the new Outlook.
const NEW_OUTLOOK: &str = "olk.exe";
/// English of the United States: members are called by their published names.
const LOCALE: u32 = 0x409;
const EXCEPTION: u32 = 0x8002_0009;
const PARAM_NOT_FOUND: i32 = 0x8002_0004_u32.cast_signed();

/// Wakes the thread that owns Outlook's objects.
#[derive(Clone)]
struct Bell(Arc<Event>);

struct Event(HANDLE);

// SAFETY: an event's handle may be used from any thread.
unsafe impl Send for Event {}
// SAFETY: as above.
unsafe impl Sync for Event {}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and used by nobody any more.
        let _ = unsafe { CloseHandle(self.0) };
    }
}

impl Bell {
    fn new() -> Self {
        // SAFETY: no pointers are handed over.
        let event = unsafe { CreateEventW(None, false, false, PCWSTR::null()) };
        Self(Arc::new(Event(event.expect("the system has events"))))
    }

    fn ring(&self) {
        // SAFETY: the handle lives as long as we do.
        let _ = unsafe { SetEvent(self.0.0) };
    }
}

/// The way to the Outlook that is running.
pub struct ComDoor {
    bell: Bell,
}

impl std::fmt::Debug for ComDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ComDoor").finish_non_exhaustive()
    }
}

impl ComDoor {
    /// Opens nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { bell: Bell::new() }
    }
}

impl Default for ComDoor {
    fn default() -> Self {
        Self::new()
    }
}

/// Doors to the Outlook of this computer.
#[must_use]
pub fn doors() -> Doors {
    Arc::new(|| Box::new(ComDoor::new()))
}

/// Makes this thread one that may own Outlook's objects.
pub fn enter_apartment() {
    // SAFETY: no pointers are handed over.
    let entered = unsafe { CoInitializeEx(None, COINIT_APARTMENTTHREADED) };
    if entered.is_err() {
        tracing::warn!(%entered, "COM isn't there");
    }
}

/// The `Application` object of the Outlook that is running.
pub fn application() -> Result<Rc<dyn Dispatch>, Fault> {
    let fault = |error: &Error| Fault { text: error.message(), ..Fault::new(code_of(error), "Outlook.Application") };
    // SAFETY: the strings are constants that end with a zero, the pointers are to our own variables.
    unsafe {
        let class = CLSIDFromProgID(w!("Outlook.Application")).map_err(|error| fault(&error))?;
        let mut active: Option<IUnknown> = None;
        if GetActiveObject(&class, None, &mut active).is_ok()
            && let Some(object) = active.and_then(|object| object.cast::<IDispatch>().ok())
        {
            return Ok(Rc::new(Proxy(object)));
        }
        // Outlook tells itself as active only once its window has lost the focus; and one that runs with other rights
        // never does, as far as we can see. Where its process is there, asking for an object starts nothing.
        if !is_running("outlook.exe") {
            return Err(Fault::new(code::OBJECT_NOT_RUNNING, "Outlook.Application"));
        }
        let object: IDispatch = CoCreateInstance(&class, None, CLSCTX_LOCAL_SERVER).map_err(|error| fault(&error))?;
        Ok(Rc::new(Proxy(object)))
    }
}

/// Whether there is a process of this program.
fn is_running(program: &str) -> bool {
    let mut entry = PROCESSENTRY32W {
        dwSize: u32::try_from(size_of::<PROCESSENTRY32W>()).unwrap_or_default(),
        ..PROCESSENTRY32W::default()
    };
    // SAFETY: the entry is ours and says its size; the snapshot is closed once.
    unsafe {
        let Ok(snapshot) = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) else { return false };
        let mut more = Process32FirstW(snapshot, &mut entry);
        let mut is_there = false;
        while more.is_ok() && !is_there {
            // The rest of the field is whatever was in it before.
            let name = entry.szExeFile.split(|unit| *unit == 0).next().unwrap_or_default();
            is_there = String::from_utf16_lossy(name).eq_ignore_ascii_case(program);
            more = Process32NextW(snapshot, &mut entry);
        }
        let _ = CloseHandle(snapshot);
        is_there
    }
}

impl Door for ComDoor {
    fn enter(&self) {
        enter_apartment();
    }

    fn application(&self) -> Result<Rc<dyn Dispatch>, Fault> {
        application()
    }

    fn new_outlook(&self) -> NewOutlook {
        let link = std::env::var_os("LOCALAPPDATA")
            .map(|folder| PathBuf::from(folder).join(r"Microsoft\WindowsApps").join(NEW_OUTLOOK));
        if is_running(NEW_OUTLOOK) {
            NewOutlook::Open
        // A link of the shop's, which can be seen but not followed.
        } else if link.is_some_and(|link| link.symlink_metadata().is_ok()) {
            NewOutlook::Installed
        } else {
            NewOutlook::Absent
        }
    }

    fn zone(&self) -> Zone {
        let mut info = TIME_ZONE_INFORMATION::default();
        // SAFETY: the pointer is to our own variable.
        unsafe { GetTimeZoneInformation(&mut info) };
        let date = |date: windows::Win32::Foundation::SYSTEMTIME| {
            let parts = [
                date.wYear,
                date.wMonth,
                date.wDayOfWeek,
                date.wDay,
                date.wHour,
                date.wMinute,
                date.wSecond,
                date.wMilliseconds,
            ];
            parts.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
        };
        // PidLidTimeZoneStruct (MS-OXOCAL 2.2.1.39).
        let biases = [info.Bias, info.StandardBias, info.DaylightBias].into_iter().flat_map(i32::to_le_bytes);
        let mut bytes: Vec<u8> = biases.collect();
        for rule in [info.StandardDate, info.DaylightDate] {
            bytes.extend([0, 0]);
            bytes.extend(date(rule));
        }
        let name = String::from_utf16_lossy(&info.StandardName);
        Zone::from_struct(&bytes, name.trim_end_matches('\0')).unwrap_or_else(Zone::utc)
    }

    fn bell(&self) -> Wake {
        let bell = self.bell.clone();
        Arc::new(move || bell.ring())
    }

    fn wait(&self, has_request: &mut dyn FnMut(Duration) -> bool) -> bool {
        pump();
        if has_request(Duration::ZERO) {
            return true;
        }
        // SAFETY: the handle lives as long as the bell, which we hold.
        unsafe { MsgWaitForMultipleObjectsEx(Some(&[self.bell.0.0]), 60_000, QS_ALLINPUT, MWMO_INPUTAVAILABLE) };
        pump();
        has_request(Duration::ZERO)
    }
}

/// Lets calls and events of other programs in.
fn pump() {
    let mut message = MSG::default();
    // SAFETY: the pointers are to our own variable.
    unsafe {
        while PeekMessageW(&mut message, None, 0, 0, PM_REMOVE).as_bool() {
            let _ = TranslateMessage(&message);
            DispatchMessageW(&message);
        }
    }
}

fn code_of(error: &Error) -> u32 {
    error.code().0.cast_unsigned()
}

struct Proxy(IDispatch);

impl Proxy {
    fn invoke(&self, name: &str, flags: DISPATCH_FLAGS, given: &[Variant]) -> Result<Variant, Fault> {
        let fault = |error: &Error| Fault { text: error.message(), ..Fault::new(code_of(error), name) };
        let member = HSTRING::from(name);
        let names = PCWSTR(member.as_ptr());
        let (mut id, mut put) = (0, DISPID_PROPERTYPUT);
        // Arguments go last first.
        let mut arguments: Vec<VARIANT> = given.iter().rev().map(variant).collect();
        let is_put = flags == DISPATCH_PROPERTYPUT;
        let (mut result, mut exception) = (VARIANT::default(), EXCEPINFO::default());
        // SAFETY: every pointer is to a variable of ours that outlives the call; the counts are those of the vector.
        let outcome = unsafe {
            self.0.GetIDsOfNames(&GUID::zeroed(), &names, 1, LOCALE, &mut id).map_err(|error| fault(&error))?;
            let parameters = DISPPARAMS {
                rgvarg: arguments.as_mut_ptr(),
                rgdispidNamedArgs: if is_put { &mut put } else { ptr::null_mut() },
                cArgs: u32::try_from(arguments.len()).unwrap_or_default(),
                cNamedArgs: u32::from(is_put),
            };
            let (zero, result, exception) = (GUID::zeroed(), &mut result, &mut exception);
            self.0.Invoke(id, &zero, LOCALE, flags, &parameters, Some(result), Some(exception), None)
        };
        match outcome {
            Ok(()) => Ok(read(&result)),
            Err(error) if code_of(&error) == EXCEPTION && exception.scode != 0 => {
                // SAFETY: Outlook filled it, and nobody else frees it.
                let text = unsafe { ManuallyDrop::take(&mut exception.bstrDescription) }.to_string();
                Err(Fault { code: exception.scode.cast_unsigned(), member: name.to_owned(), text })
            }
            Err(error) => Err(fault(&error)),
        }
    }
}

impl Dispatch for Proxy {
    fn get(&self, name: &str) -> Result<Variant, Fault> {
        self.invoke(name, DISPATCH_PROPERTYGET, &[])
    }

    fn put(&self, name: &str, value: Variant) -> Result<(), Fault> {
        self.invoke(name, DISPATCH_PROPERTYPUT, &[value]).map(drop)
    }

    fn call(&self, name: &str, arguments: &[Variant]) -> Result<Variant, Fault> {
        self.invoke(name, DISPATCH_METHOD | DISPATCH_PROPERTYGET, arguments)
    }

    fn watch(&self, wake: Wake) -> Result<Box<dyn Any>, Fault> {
        let fault = |error: Error| Fault { text: error.message(), ..Fault::new(code_of(&error), "Advise") };
        let sink: ItemsEvents = Sink(wake).into();
        // SAFETY: the pointers are to variables of ours.
        unsafe {
            let container: IConnectionPointContainer = self.0.cast().map_err(fault)?;
            let point = container.FindConnectionPoint(&ItemsEvents::IID).map_err(fault)?;
            let cookie = point.Advise(&sink.cast::<IUnknown>().map_err(fault)?).map_err(fault)?;
            // The collection must be held, or its events end.
            Ok(Box::new(Subscription { point, cookie, _items: self.0.clone() }))
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct Subscription {
    point: IConnectionPoint,
    cookie: u32,
    _items: IDispatch,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // SAFETY: the cookie is the one this point gave.
        let _ = unsafe { self.point.Unadvise(self.cookie) };
    }
}

/// `ItemsEvents` of the type library: events by number, nothing beyond `IDispatch`.
#[interface("00063077-0000-0000-C000-000000000046")]
unsafe trait ItemsEvents: IDispatch {}

#[implement(ItemsEvents)]
struct Sink(Wake);

impl ItemsEvents_Impl for Sink_Impl {}

#[allow(non_snake_case)] // As COM names them.
impl IDispatch_Impl for Sink_Impl {
    fn GetTypeInfoCount(&self) -> windows::core::Result<u32> {
        Ok(0)
    }

    fn GetTypeInfo(&self, _: u32, _: u32) -> windows::core::Result<ITypeInfo> {
        Err(HRESULT(0x8000_4001_u32.cast_signed()).into())
    }

    fn GetIDsOfNames(
        &self,
        _: *const GUID,
        _: *const PCWSTR,
        _: u32,
        _: u32,
        _: *mut i32,
    ) -> windows::core::Result<()> {
        Err(HRESULT(code::UNKNOWN_NAME.cast_signed()).into())
    }

    fn Invoke(
        &self,
        _: i32,
        _: *const GUID,
        _: u32,
        _: DISPATCH_FLAGS,
        _: *const DISPPARAMS,
        _: *mut VARIANT,
        _: *mut EXCEPINFO,
        _: *mut u32,
    ) -> windows::core::Result<()> {
        (self.0)();
        Ok(())
    }
}

fn made(kind: VARENUM, fill: impl FnOnce(&mut windows::Win32::System::Variant::VARIANT_0_0)) -> VARIANT {
    let mut value = VARIANT::default();
    // SAFETY: a new variant is empty; type and value are set together.
    let inner = unsafe { &mut *value.Anonymous.Anonymous };
    inner.vt = kind;
    fill(inner);
    value
}

fn variant(value: &Variant) -> VARIANT {
    match value {
        // An argument left out.
        Variant::Empty => made(VT_ERROR, |inner| inner.Anonymous.scode = PARAM_NOT_FOUND),
        Variant::Error(code) => made(VT_ERROR, |inner| inner.Anonymous.scode = code.cast_signed()),
        Variant::Bool(is) => made(VT_BOOL, |inner| inner.Anonymous.boolVal = VARIANT_BOOL::from(*is)),
        Variant::I16(number) => made(VT_I2, |inner| inner.Anonymous.iVal = *number),
        Variant::I32(number) => made(VT_I4, |inner| inner.Anonymous.lVal = *number),
        Variant::F64(number) => made(VT_R8, |inner| inner.Anonymous.dblVal = *number),
        Variant::Date(date) => made(VT_DATE, |inner| inner.Anonymous.date = *date),
        Variant::Text(text) => {
            made(VT_BSTR, |inner| inner.Anonymous.bstrVal = ManuallyDrop::new(BSTR::from(text.as_str())))
        }
        Variant::Object(object) => match object.as_any().downcast_ref::<Proxy>() {
            Some(proxy) => {
                made(VT_DISPATCH, |inner| inner.Anonymous.pdispVal = ManuallyDrop::new(Some(proxy.0.clone())))
            }
            None => VARIANT::default(),
        },
        Variant::Bytes(bytes) => {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            // SAFETY: the array has as many elements of a byte as are put in.
            let array = unsafe {
                let array = SafeArrayCreateVector(VT_UI1, 0, length);
                for (at, byte) in (0..).zip(bytes) {
                    let _ = SafeArrayPutElement(array, &at, ptr::from_ref(byte).cast());
                }
                array
            };
            array_of(VT_UI1, array)
        }
        Variant::List(values) => {
            let length = u32::try_from(values.len()).unwrap_or(u32::MAX);
            // SAFETY: the array has as many variants as are put in; each is copied.
            let array = unsafe {
                let array = SafeArrayCreateVector(VT_VARIANT, 0, length);
                for (at, value) in (0..).zip(values) {
                    let _ = SafeArrayPutElement(array, &at, ptr::from_ref(&variant(value)).cast());
                }
                array
            };
            array_of(VT_VARIANT, array)
        }
        Variant::Rows(rows) => {
            let bound =
                |count: usize| SAFEARRAYBOUND { cElements: u32::try_from(count).unwrap_or(u32::MAX), lLbound: 0 };
            let bounds = [bound(rows.len()), bound(rows.first().map_or(0, Vec::len))];
            // SAFETY: indices stay within the bounds; each variant is copied.
            let array = unsafe {
                let array = SafeArrayCreate(VT_VARIANT, 2, bounds.as_ptr());
                for (row, values) in (0_i32..).zip(rows) {
                    for (column, value) in (0_i32..).zip(values) {
                        let at = [row, column];
                        let _ = SafeArrayPutElement(array, at.as_ptr(), ptr::from_ref(&variant(value)).cast());
                    }
                }
                array
            };
            array_of(VT_VARIANT, array)
        }
    }
}

fn array_of(kind: VARENUM, array: *mut SAFEARRAY) -> VARIANT {
    made(VARENUM(VT_ARRAY.0 | kind.0), |inner| inner.Anonymous.parray = array)
}

fn read(value: &VARIANT) -> Variant {
    // SAFETY: the type says which part of the union is the value.
    unsafe {
        let inner = &value.Anonymous.Anonymous;
        let by = &inner.Anonymous;
        match inner.vt {
            VT_BOOL => Variant::Bool(by.boolVal.as_bool()),
            VT_I2 => Variant::I16(by.iVal),
            VT_I4 => Variant::I32(by.lVal),
            VT_R4 => Variant::F64(by.fltVal.into()),
            VT_R8 => Variant::F64(by.dblVal),
            VT_DATE => Variant::Date(by.date),
            VT_BSTR => Variant::Text(by.bstrVal.to_string()),
            VT_ERROR => Variant::Error(by.scode.cast_unsigned()),
            VT_DISPATCH => by.pdispVal.as_ref().map_or(Variant::Empty, |object| object_of(object.clone())),
            VT_UNKNOWN => {
                by.punkVal.as_ref().and_then(|object| object.cast::<IDispatch>().ok()).map_or(Variant::Empty, object_of)
            }
            kind if kind.0 & VT_ARRAY.0 != 0 && kind.0 & VT_BYREF.0 == 0 => read_array(by.parray),
            _ => Variant::Empty,
        }
    }
}

fn object_of(object: IDispatch) -> Variant {
    Variant::Object(Rc::new(Proxy(object)))
}

/// # Safety
///
/// The pointer must be to an array, or null.
unsafe fn read_array(array: *const SAFEARRAY) -> Variant {
    if array.is_null() {
        return Variant::Empty;
    }
    // SAFETY: the indices are within the bounds the array tells; the elements are of the type it tells.
    unsafe {
        let range = |dimension: u32| {
            let from = SafeArrayGetLBound(array, dimension).unwrap_or_default();
            from..=SafeArrayGetUBound(array, dimension).unwrap_or(from - 1)
        };
        let kind = SafeArrayGetVartype(array).unwrap_or(VT_VARIANT);
        let element = |at: &[i32]| match kind {
            VT_BSTR => {
                let mut text = BSTR::new();
                let _ = SafeArrayGetElement(array, at.as_ptr(), ptr::from_mut(&mut text).cast());
                Variant::Text(text.to_string())
            }
            VT_VARIANT => {
                let mut value = VARIANT::default();
                let _ = SafeArrayGetElement(array, at.as_ptr(), ptr::from_mut(&mut value).cast());
                read(&value)
            }
            _ => Variant::Empty,
        };
        match SafeArrayGetDim(array) {
            1 if kind == VT_UI1 => {
                let byte = |at: i32| {
                    let mut byte = 0_u8;
                    let _ = SafeArrayGetElement(array, &at, ptr::from_mut(&mut byte).cast());
                    byte
                };
                Variant::Bytes(range(1).map(byte).collect())
            }
            1 => Variant::List(range(1).map(|at| element(&[at])).collect()),
            2 => {
                let columns = range(2);
                Variant::Rows(
                    range(1).map(|row| columns.clone().map(|column| element(&[row, column])).collect()).collect(),
                )
            }
            _ => Variant::Empty,
        }
    }
}
