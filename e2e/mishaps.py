"""What can happen to a browser while somebody writes."""

import os
import signal

from selenium.webdriver import Chrome


def lose_network(driver: Chrome, is_lost: bool) -> None:
    driver.execute_cdp_cmd("Network.enable", {})
    conditions = {"offline": is_lost, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)


def kill(driver: Chrome) -> None:
    """The whole browser, at once."""
    os.kill(driver.capabilities["goog:processID"], signal.SIGKILL)
