use super::*;
use bytes::Bytes;

#[tokio::test]
async fn bulk_frames_cross_whole_and_in_order() {
    let office = Endpoint::bind(config(OFFICE), loopback()).unwrap();
    let desk = Desk::new(&[LAPTOP]);
    let knock = KnockKey::from_bytes([9; 16]);
    office.set_knocks(&[Knock { key: knock, scope: KnockScope::Anyone }]);
    office.serve(ServerRules { doorkeeper: desk.clone(), desk });
    let addresses = office.local_addresses();
    let target = Target { addresses, server: Some(key(OFFICE).public()), knock };
    let laptop = client(LAPTOP);
    let (joined, arrived) =
        tokio::join!(join(&laptop, &target), async { office.accept().await.unwrap().welcome(Bytes::new()).await });
    let (joined, arrived) = (joined.unwrap(), arrived.unwrap());

    let sending = async {
        let mut bulk = joined.link.open_bulk().await.unwrap();
        bulk.set_priority(-1);
        for number in 0..40u8 {
            bulk.send(CHUNK, vec![number; 500_000]).await.unwrap();
        }
        bulk.finish().await.unwrap();
    };
    let receiving = async {
        let mut bulk = arrived.link.accept_bulk().await.unwrap();
        let mut chunks = 0u8;
        while let Some(frame) = bulk.next().await.unwrap() {
            assert_eq!((frame.kind, frame.payload.len()), (CHUNK, 500_000));
            assert!(frame.payload.iter().all(|byte| *byte == chunks));
            chunks += 1;
        }
        assert_eq!(chunks, 40);
    };
    tokio::time::timeout(Duration::from_secs(30), async { tokio::join!(sending, receiving) }).await.unwrap();
    assert_eq!(joined.link.channel_binding(), arrived.link.channel_binding());
}

#[tokio::test]
async fn a_frame_that_is_too_long_or_unknown_is_refused_before_it_is_read() {
    let office = Office::open(&[LAPTOP]);
    let laptop = client(LAPTOP);
    for (kind, len) in [(CONTROL, (64 << 10) + 1), (77, 1)] {
        let Joined { link, mut control, .. } = soon(join(&laptop, &office.target)).await.unwrap();
        let _ = control.sender.send(kind, vec![0; len]).await;
        assert_eq!(soon(link.closed()).await, Closed::ByPeer { code: CloseCode::Protocol });
    }
}

#[tokio::test]
async fn empty_frames_are_frames() {
    let office = Office::open(&[LAPTOP]);
    let laptop = client(LAPTOP);
    let mut joined = soon(join(&laptop, &office.target)).await.unwrap();
    joined.control.sender.send(CONTROL, Bytes::new()).await.unwrap();
    let echo = soon(joined.control.receiver.next()).await.unwrap().unwrap();
    assert_eq!((echo.kind, echo.payload.len()), (CONTROL, 0));
}
