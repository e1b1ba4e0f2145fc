"""Who must agree to what: rules, the stages that a request has to pass, reminders, break-glass."""
