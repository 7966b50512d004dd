//! A listener for every channel of the schema that hands on what it gets.

use pgpubsub_roundtrip::pubsub::*;
use pgpubsub_runtime::{
    BatchCx, Cx, Lazy, ListenerError, Notification, Received, TransientCx, TransientNotification,
};
use tokio::sync::mpsc::UnboundedSender;

/// What a listener received, with its notification.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, clippy::enum_variant_names)] // named after the listeners
pub(crate) enum Seen {
    OnEverythingSaved(EverythingSaved, Notification),
    OnChosenSaved(ChosenSaved, Notification),
    OnMaybeSaved(MaybeSaved, Notification),
    OnListsSaved(ListsSaved, Notification),
    OnHostileChanged(HostileChanged, Notification),
    ItemInserted(ItemInsertedEvent, Notification),
    ItemUpdated(ItemUpdatedEvent, Notification),
    ItemAudit(ItemChanged, Notification),
    OnItemGoing(ItemGoing, Notification),
    TenantItems(ItemComing, Notification),
    LongOne(
        AChannelWithANameThatIsLongerThanPostgresqlLetsAnIdentifierBeOne,
        Notification,
    ),
    LongTwo(
        AChannelWithANameThatIsLongerThanPostgresqlLetsAnIdentifierBeTwo,
        Notification,
    ),
    OnItemFickle(ItemFickle, Notification),
    AllNoise(AllNoiseEvent, Notification),
    PlainNoise(Noise, Notification),
    AllHiss(AllHissEvent, TransientNotification),
    Several(SeveralEvent, Notification),
    OnValues(Values, Notification),
    OnDefaults(Defaults, Notification),
    OnMoreDefaults(MoreDefaults, Notification),
    OnReminder(Reminder, Notification),
    OnEcho(Echo, Notification),
    OnLateEcho(LateEcho, Notification),
    OnYearlyDefaults(YearlyDefaults, Notification),
    OnBeat(Beat, Notification),
    TenantSeen(ItemSeen, TransientNotification),
    AllSeen(ItemSeen, TransientNotification),
    OnWhisper(Whisper, TransientNotification),
    Albums(Album, Notification),
    Shelves(ShelvesEvent, Notification),
    Ticks(Tick, Notification),
    Tocks(TocksEvent, Notification),
}

/// Implements every listener.
pub(crate) struct Recorder {
    seen: UnboundedSender<Seen>,
}

impl Recorder {
    pub(crate) fn new(seen: UnboundedSender<Seen>) -> Self {
        Self { seen }
    }

    fn record(&self, seen: Seen) -> Result<(), ListenerError> {
        // The test has ended when nobody receives any more.
        let _ = self.seen.send(seen);
        Ok(())
    }
}

impl OnEverythingSaved for Recorder {
    async fn on_everything_saved(
        &self,
        event: EverythingSaved,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        self.record(Seen::OnEverythingSaved(event, cx.notification().clone()))
    }
}

impl OnChosenSaved for Recorder {
    async fn on_chosen_saved(
        &self,
        event: ChosenSaved,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        self.record(Seen::OnChosenSaved(event, cx.notification().clone()))
    }
}

impl OnMaybeSaved for Recorder {
    async fn on_maybe_saved(
        &self,
        event: MaybeSaved,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        self.record(Seen::OnMaybeSaved(event, cx.notification().clone()))
    }
}

impl OnListsSaved for Recorder {
    async fn on_lists_saved(
        &self,
        event: ListsSaved,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        self.record(Seen::OnListsSaved(event, cx.notification().clone()))
    }
}

impl OnHostileChanged for Recorder {
    async fn on_hostile_changed(
        &self,
        event: HostileChanged,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        self.record(Seen::OnHostileChanged(event, cx.notification().clone()))
    }
}

impl ItemInserted for Recorder {
    async fn item_inserted(
        &self,
        event: ItemInsertedEvent,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        self.record(Seen::ItemInserted(event, cx.notification().clone()))
    }
}

impl ItemUpdated for Recorder {
    async fn item_updated(
        &self,
        event: ItemUpdatedEvent,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        self.record(Seen::ItemUpdated(event, cx.notification().clone()))
    }
}

impl ItemAudit for Recorder {
    async fn item_audit(&self, event: ItemChanged, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        self.record(Seen::ItemAudit(event, cx.notification().clone()))
    }
}

impl OnItemGoing for Recorder {
    async fn on_item_going(&self, event: ItemGoing, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        self.record(Seen::OnItemGoing(event, cx.notification().clone()))
    }
}

impl TenantItems for Recorder {
    async fn tenant_items(&self, event: ItemComing, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        self.record(Seen::TenantItems(event, cx.notification().clone()))
    }
}

impl OnAChannelWithANameThatIsLongerThanPostgresqlLetsAnIdentifierBeOne for Recorder {
    async fn on_a_channel_with_a_name_that_is_longer_than_postgresql_lets_an_identifier_be_one(
        &self,
        event: AChannelWithANameThatIsLongerThanPostgresqlLetsAnIdentifierBeOne,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        self.record(Seen::LongOne(event, cx.notification().clone()))
    }
}

impl OnAChannelWithANameThatIsLongerThanPostgresqlLetsAnIdentifierBeTwo for Recorder {
    async fn on_a_channel_with_a_name_that_is_longer_than_postgresql_lets_an_identifier_be_two(
        &self,
        event: AChannelWithANameThatIsLongerThanPostgresqlLetsAnIdentifierBeTwo,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        self.record(Seen::LongTwo(event, cx.notification().clone()))
    }
}

impl OnItemFickle for Recorder {
    async fn on_item_fickle(
        &self,
        event: ItemFickle,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        self.record(Seen::OnItemFickle(event, cx.notification().clone()))
    }
}

impl OnYearlyDefaults for Recorder {
    async fn on_yearly_defaults(
        &self,
        event: YearlyDefaults,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        self.record(Seen::OnYearlyDefaults(event, cx.notification().clone()))
    }
}

impl OnBeat for Recorder {
    async fn on_beat(&self, event: Beat, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        self.record(Seen::OnBeat(event, cx.notification().clone()))
    }
}

impl AllNoise for Recorder {
    async fn all_noise(&self, event: AllNoiseEvent, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        self.record(Seen::AllNoise(event, cx.notification().clone()))
    }
}

impl PlainNoise for Recorder {
    async fn plain_noise(&self, event: Noise, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        self.record(Seen::PlainNoise(event, cx.notification().clone()))
    }
}

impl AllHiss for Recorder {
    async fn all_hiss(
        &self,
        event: AllHissEvent,
        cx: &mut TransientCx,
    ) -> Result<(), ListenerError> {
        self.record(Seen::AllHiss(event, cx.notification().clone()))
    }
}

impl Several for Recorder {
    async fn several(&self, event: SeveralEvent, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        self.record(Seen::Several(event, cx.notification().clone()))
    }
}

impl OnValues for Recorder {
    async fn on_values(&self, event: Values, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        self.record(Seen::OnValues(event, cx.notification().clone()))
    }
}

impl OnDefaults for Recorder {
    async fn on_defaults(&self, event: Defaults, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        self.record(Seen::OnDefaults(event, cx.notification().clone()))
    }
}

impl OnMoreDefaults for Recorder {
    async fn on_more_defaults(
        &self,
        event: MoreDefaults,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        self.record(Seen::OnMoreDefaults(event, cx.notification().clone()))
    }
}

impl OnEcho for Recorder {
    /// Sends what would fold into the one that it has in hand.
    async fn on_echo(&self, event: Echo, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        if event.left > 0 {
            let next = Echo::new(event.who.clone(), event.left - 1);
            next.notify(cx.transaction()).await?;
        }
        self.record(Seen::OnEcho(event, cx.notification().clone()))
    }
}

impl OnLateEcho for Recorder {
    async fn on_late_echo(&self, event: LateEcho, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        if event.left > 0 {
            let next = LateEcho::new(event.who.clone(), event.left - 1);
            next.notify(cx.transaction()).await?;
        }
        self.record(Seen::OnLateEcho(event, cx.notification().clone()))
    }
}

impl OnReminder for Recorder {
    async fn on_reminder(&self, event: Reminder, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        self.record(Seen::OnReminder(event, cx.notification().clone()))
    }
}

impl TenantSeen for Recorder {
    async fn tenant_seen(
        &self,
        event: ItemSeen,
        cx: &mut TransientCx,
    ) -> Result<(), ListenerError> {
        self.record(Seen::TenantSeen(event, cx.notification().clone()))
    }
}

impl AllSeen for Recorder {
    async fn all_seen(&self, event: ItemSeen, cx: &mut TransientCx) -> Result<(), ListenerError> {
        self.record(Seen::AllSeen(event, cx.notification().clone()))
    }
}

impl OnWhisper for Recorder {
    async fn on_whisper(&self, event: Whisper, cx: &mut TransientCx) -> Result<(), ListenerError> {
        self.record(Seen::OnWhisper(event, cx.notification().clone()))
    }
}

impl Ticks for Recorder {
    async fn ticks(
        &self,
        events: &[Received<Tick>],
        _: &mut BatchCx<'_>,
    ) -> Result<(), ListenerError> {
        for Received {
            event,
            notification,
        } in events
        {
            self.record(Seen::Ticks(event.clone(), notification.clone()))?;
        }
        Ok(())
    }
}

impl Tocks for Recorder {
    async fn tocks(
        &self,
        events: &[Received<TocksEvent>],
        _: &mut BatchCx<'_>,
    ) -> Result<(), ListenerError> {
        for Received {
            event,
            notification,
        } in events
        {
            self.record(Seen::Tocks(event.clone(), notification.clone()))?;
        }
        Ok(())
    }
}

impl Albums for Recorder {
    async fn albums(&self, event: Lazy<Album>, cx: &mut Cx<'_>) -> Result<(), ListenerError> {
        let event = event.load(cx).await?;
        self.record(Seen::Albums(event, cx.notification().clone()))
    }
}

impl Shelves for Recorder {
    async fn shelves(
        &self,
        event: Lazy<ShelvesEvent>,
        cx: &mut Cx<'_>,
    ) -> Result<(), ListenerError> {
        let event = event.load(cx).await?;
        self.record(Seen::Shelves(event, cx.notification().clone()))
    }
}
