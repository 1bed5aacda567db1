//! The one gate of every change: who may, what is shown before, what is sent.

use kgents_api::{PheromoneSpec, PheromoneType};
use kgents_store::act;
use kgents_store::request::{Act, Ask, Seen};
use kgents_store::{Key, Kind, Layer};

use super::App;
use super::asks::For;
use crate::action::Action;
use crate::edit::Edit;
use crate::msg::Update;
use crate::overlay::{Dialog, Draft, Field, Overlay, Subject};
use crate::theme::Role;

impl App {
    /// Why changes cannot be sent from here at the moment; `None` if they can.
    pub(crate) fn barred(&self) -> Option<(&'static str, &'static str)> {
        if self.terrarium.layer() == Some(Layer::Fixture) {
            return Some(("A recording cannot be changed.", ""));
        }
        if self.terrarium.moment().is_some() {
            return Some(("The past cannot be changed.", "esc comes back to now"));
        }
        if !self.write {
            return Some(("This window is read only.", ":write allows changes"));
        }
        None
    }

    /// The version of an object that a person sees.
    fn seen(&self, kind: Kind, key: &Key) -> Option<Seen> {
        let terrarium = &self.terrarium;
        let (uid, resource_version) = match kind {
            Kind::Agent => terrarium.agents().get(key).map(|agent| (&agent.held.uid, &agent.held.resource_version))?,
            Kind::Pheromone => {
                terrarium.pheromones().get(key).map(|signal| (&signal.held.uid, &signal.held.resource_version))?
            }
            _ => terrarium.proposals().get(key).map(|held| (&held.uid, &held.resource_version))?,
        };
        Some(Seen { uid: uid.clone(), resource_version: resource_version.clone() })
    }

    /// Opens the dialog of a change.
    pub(super) fn draft(&mut self, action: Action, update: &mut Update) {
        if let Some((said, hint)) = self.barred() {
            return self.tell(Role::Amber, said, hint);
        }
        let field = |label, text: &str, hint: &str| Field { label, edit: Edit::line(text), hint: hint.to_owned() };
        let (draft, fields) = match (action, self.at_hand()) {
            (Action::Approve | Action::Reject, Some(Subject::Proposal(key))) => {
                let Some(seen) = self.seen(Kind::Proposal, &key) else { return };
                let approve = action == Action::Approve;
                if let Some(row) = self.views.proposals.all().iter().find(|row| row.key == key)
                    && !row.phase.is_open()
                {
                    return self.tell(Role::Amber, format!("{} is {} already.", key.name(), row.phase), "");
                }
                let mut fields = vec![field("reason", "", if approve { "may be empty" } else { "why not" })];
                // What is CRITICAL is not approved by habit.
                if approve && self.is_critical(&key) {
                    fields.push(field("name", "", "type the proposal's name"));
                }
                (Draft::Decide { proposal: key, seen, approve }, fields)
            }
            (Action::Scale, Some(Subject::Agent(key))) => {
                let Some(agent) = self.terrarium.agents().get(&key) else { return };
                let now = agent.held.object.spec.replicas.to_string();
                (Draft::Scale(key), vec![field("replicas", &now, "0 to 100")])
            }
            (Action::Delete, Some(subject)) => {
                let Some((kind, key)) = subject.object() else { return };
                let Some(seen) = self.seen(kind, key) else { return };
                let fields = vec![field("name", "", "type its name")];
                (Draft::Delete(kind, key.clone(), seen), fields)
            }
            (Action::Emit, subject) => {
                let agent = subject.as_ref().and_then(|subject| match subject {
                    Subject::Agent(key) => Some(key.clone()),
                    _ => None,
                });
                let scene = self.terrarium.scene().namespace.clone();
                let namespace = agent.as_ref().map(|key| key.namespace().to_owned()).or(scene);
                let namespace = namespace.unwrap_or_else(|| kgents_api::NAMESPACE_AGENTS.to_owned());
                let types: Vec<&str> = PheromoneType::ALL.iter().map(|type_| type_.as_str()).collect();
                let fields = vec![
                    field("type", PheromoneType::Warning.as_str(), &types.join(" ")),
                    field("payload", "", "what it says"),
                    field("to", agent.as_ref().map_or("", |key| key.name()), "an agent; empty is everyone"),
                    field("strength", "1.0", "0 to 1"),
                ];
                (Draft::Emit(namespace), fields)
            }
            _ => return,
        };
        self.ask_who(update);
        self.overlays.push(Overlay::Dialog(Box::new(Dialog::new(draft, fields, self.now))));
    }

    /// Asks as whom the API server knows us, for the dialog to say so.
    fn ask_who(&mut self, update: &mut Update) {
        if self.desk.user.is_none() {
            self.desk.ask(Ask::WhoAmI, For::Who, update);
        }
    }

    fn is_critical(&self, key: &Key) -> bool {
        use kgents_api::Urgency;
        use kgents_api::proposal::RiskLevel;
        let row = self.views.proposals.all().iter().find(|row| row.key == *key);
        let urgent = self.terrarium.proposals().get(key).map(|held| held.object.spec.urgency);
        row.is_some_and(|row| row.risk.level == RiskLevel::Critical) || urgent == Some(Urgency::Critical)
    }

    /// Allows changes after a confirmation, or forbids them at once.
    pub(super) fn write_mode(&mut self) {
        if self.write {
            self.write = false;
            self.tell(Role::Moss, "This window is read only again.", "");
        } else if self.terrarium.layer() == Some(Layer::Fixture) {
            self.tell(Role::Amber, "A recording cannot be changed.", "");
        } else {
            let dialog = Dialog::new(Draft::WriteMode, Vec::new(), self.now);
            self.overlays.push(Overlay::Dialog(Box::new(dialog)));
        }
    }

    pub(super) fn next_field(&mut self, by: isize) {
        if let Some(Overlay::Dialog(dialog)) = self.overlays.last_mut()
            && !dialog.fields.is_empty()
        {
            dialog.field = (dialog.field as isize + by).rem_euclid(dialog.fields.len() as isize) as usize;
        }
    }

    /// Sends what the dialog says, once: the dialog is gone with it.
    pub(super) fn send(&mut self, update: &mut Update) {
        let shows = crate::draw::dialog_room(self).is_some();
        let Some(Overlay::Dialog(dialog)) = self.overlays.last_mut() else { return };
        if !shows {
            // Nobody sends what cannot be seen.
            return dialog.fail("the window was too small to show what is sent".to_owned());
        }
        if dialog.draft == Draft::WriteMode {
            self.overlays.pop();
            self.write = true;
            return self.tell(Role::Amber, "Changes from this window are allowed.", ":write forbids them again");
        }
        match dialog.act(self.desk.user.as_deref()) {
            Err(problem) => dialog.fail(problem),
            Ok(act) => {
                let did = act::sentence(&act);
                self.tell(Role::Sky, format!("Sent: {did}."), "");
                if let Some(Overlay::Dialog(dialog)) = self.overlays.pop() {
                    self.desk.ask(Ask::Act(act), For::Act(did, dialog), update);
                }
            }
        }
    }

    /// Asks again what somebody else was faster with, over the object as it
    /// stands now. Nothing is sent by itself.
    pub(super) fn ask_again(&mut self, mut dialog: Box<Dialog>, said: &str) {
        dialog.again = true;
        dialog.fail(format!("{}; ⏎ sends it for what stands now", said.trim_end_matches('.')));
        self.overlays.push(Overlay::Dialog(dialog));
        self.stale = true;
    }

    /// Lets a dialog that asks again look at the newest version.
    pub(super) fn look_again(&mut self) {
        let Some(Overlay::Dialog(dialog)) = self.overlays.last() else { return };
        let target = match &dialog.draft {
            Draft::Decide { proposal, .. } => Some((Kind::Proposal, proposal.clone())),
            Draft::Delete(kind, key, _) => Some((*kind, key.clone())),
            _ => None,
        };
        let newest = target.filter(|_| dialog.again).and_then(|(kind, key)| self.seen(kind, &key));
        if let (Some(newest), Some(Overlay::Dialog(dialog))) = (newest, self.overlays.last_mut())
            && let Draft::Decide { seen, .. } | Draft::Delete(_, _, seen) = &mut dialog.draft
        {
            *seen = newest;
        }
    }
}

impl Dialog {
    /// It cannot be sent as it is; from its top, so that one sees why.
    pub(super) fn fail(&mut self, problem: String) {
        self.problem = Some(problem);
        self.scroll = 0;
    }

    /// What is typed in a field.
    fn typed(&self, label: &str) -> String {
        let field = self.fields.iter().find(|field| field.label == label);
        field.map(|field| field.edit.text().trim().to_owned()).unwrap_or_default()
    }

    /// The change as it is filled in. `user` is as whom the API server knows us.
    ///
    /// # Errors
    /// What is still missing, or wrong, in words.
    pub(crate) fn act(&self, user: Option<&str>) -> Result<Act, String> {
        let named = |key: &Key| match self.typed("name") {
            name if name == key.name() => Ok(()),
            _ => Err(format!("type `{}` to be sure", key.name())),
        };
        match &self.draft {
            Draft::Decide { proposal, seen, approve } => {
                let reason = Some(self.typed("reason")).filter(|reason| !reason.is_empty());
                if !approve && reason.is_none() {
                    return Err("a rejection has a reason".to_owned());
                }
                if self.fields.iter().any(|field| field.label == "name") {
                    named(proposal)?;
                }
                if user.is_none() {
                    return Err("the API server has not yet said who you are".to_owned());
                }
                Ok(Act::Decide { proposal: proposal.clone(), seen: seen.clone(), approve: *approve, reason })
            }
            Draft::Emit(namespace) => {
                let word = self.typed("type").to_uppercase();
                let type_ = word.parse::<PheromoneType>().map_err(|_| format!("`{word}` is no type of pheromone"))?;
                let strength = self.typed("strength");
                let initial = strength.parse::<f64>().ok().filter(|number| (0.0..=1.0).contains(number));
                let initial = initial.ok_or_else(|| format!("a strength is 0 to 1, not `{strength}`"))?;
                let filled = |text: String| Some(text).filter(|text| !text.is_empty());
                let source = user.ok_or("the API server has not yet said who you are")?;
                let spec = PheromoneSpec {
                    type_,
                    source: source.to_owned(),
                    emitted_at: None,
                    initial_intensity: Some(initial),
                    half_life_minutes: None,
                    ttl_seconds: None,
                    target: filled(self.typed("to")),
                    payload: filled(self.typed("payload")).map(serde_json::Value::from),
                    position: None,
                };
                Ok(Act::Emit { namespace: namespace.clone(), spec: Box::new(spec) })
            }
            Draft::Scale(agent) => {
                let typed = self.typed("replicas");
                let replicas = typed.parse::<i32>().ok().filter(|number| (0..=100).contains(number));
                let replicas = replicas.ok_or_else(|| format!("replicas are 0 to 100, not `{typed}`"))?;
                Ok(Act::Scale { agent: agent.clone(), replicas })
            }
            Draft::Delete(kind, key, seen) => {
                named(key)?;
                Ok(Act::Delete { kind: *kind, key: key.clone(), seen: seen.clone() })
            }
            Draft::WriteMode => Err("nothing is sent".to_owned()),
        }
    }
}
