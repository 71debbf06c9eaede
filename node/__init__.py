"""The exchange node (前置交换节点): records leave a department, and signed receipts come home."""

__version__ = "0.1.0"
