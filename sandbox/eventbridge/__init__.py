"""Amazon EventBridge: buses, rules, and events that are really delivered."""

from sandbox.eventbridge.service import EventBridge

__all__ = ["EventBridge"]
