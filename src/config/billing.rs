//! `[billing]`.
/// Billing.
#[derive(Clone, Debug)]
pub struct BillingSettings;
impl BillingSettings {
    /// Reads.
    pub fn read(s: super::Section) -> Self {
        s.finish();
        Self
    }
}
