"""The demonstration: footage, an RTSP server that plays it as cameras do, and a driver that shows Privet at work on it."""
