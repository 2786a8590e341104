"""MQTT: readings in, forecasts out, through a broker that may be away for long. Needs aiomqtt."""
